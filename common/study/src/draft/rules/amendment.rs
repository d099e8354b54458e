//! Versions, and why there is another one.

use super::Breaches;
use crate::protocol::StudyProtocol;

pub(super) fn check(protocol: &StudyProtocol, found: &mut Breaches) {
    let count = "count versions from 1";
    found.unless(protocol.version >= 1, "version", "must be 1 or more", count);
    let Some(amends) = &protocol.amends else { return };
    found.unless(protocol.version >= 2, "version", "amends no earlier one", count);
    found.unless(
        !amends.reason.trim().is_empty(),
        "amends.reason",
        "is empty",
        "say why the protocol is amended: --reason \"…\"",
    );
}
