//! Who signed what, and whether the documents speak of the same study, round and site.

use fedval_study::Timestamp;
use fedval_study::{ResultDigest, Sha256Digest, SiteId};
use fedval_trust::{Fingerprint, PayloadType, Role};

use super::documents::{Documents, chain};
use crate::assemble::{check_result as conforms, check_round as agrees};
use crate::package::layout;

/// The root is a root, issued by itself, valid when the round was opened, and the pinned one.
pub(super) fn check_root(
    documents: &Documents<'_>,
    pinned: Option<Fingerprint>,
) -> Result<(), String> {
    let root = documents.root.as_ref().map_err(Clone::clone)?;
    if *root.role() != Role::Root {
        return Err("is not a root certificate".to_owned());
    }
    if let Some(pinned) = pinned
        && pinned != root.fingerprint()
    {
        return Err(format!("has the fingerprint {}, not the one given", root.fingerprint()));
    }
    let opened = opened(documents)?;
    root.verify(root, opened).map_err(|error| chain(&error))
}

/// The protocol is canonical and signed by sponsor and coordinator.
pub(super) fn check_protocol(documents: &Documents<'_>) -> Result<(), String> {
    documents.protocol.as_ref().map_err(Clone::clone)?;
    let opened = opened(documents)?;
    [Role::Sponsor, Role::Coordinator].into_iter().try_for_each(|role| {
        documents.signed_by(&role, layout::PROTOCOL, PayloadType::Protocol, opened)
    })
}

/// The round record is canonical, signed by the coordinator, and about the protocol.
pub(super) fn check_round(documents: &Documents<'_>) -> Result<(), String> {
    let round = documents.round.as_ref().map_err(Clone::clone)?;
    let then = documents.as_of()?;
    documents.signed_by(&Role::Coordinator, layout::ROUND, PayloadType::Round, then)?;
    agrees(documents.protocol_for_judging()?, round).map_err(|error| chain(&error))
}

/// A result is canonical, signed by its site when it was recorded, the one that the round record
/// lists, about this study, and consistent in itself.
pub(super) fn check_result(documents: &Documents<'_>, site: &SiteId) -> Result<(), String> {
    let result = match documents.results.get(site) {
        Some(result) => result.as_ref().map_err(Clone::clone)?,
        None => return Err("is not in the round record".to_owned()),
    };
    let round = documents.round_for_judging()?;
    let record = round
        .sites
        .iter()
        .find(|record| record.site == *site)
        .ok_or_else(|| "is not in the round record".to_owned())?;
    let recorded = record
        .recorded_at_ms
        .ok_or_else(|| "has no time of arrival in the round record".to_owned())?;
    documents.signed_by(
        &Role::Site(site.clone()),
        &layout::result(site),
        PayloadType::SiteResult,
        Timestamp::from_unix_millis(recorded),
    )?;
    let digest = ResultDigest(Sha256Digest::of(documents.bytes(&layout::result(site))?));
    if record.result != Some(digest) {
        return Err("is not the result that the round record lists".to_owned());
    }
    conforms(documents.protocol_for_judging()?, round, site, result).map_err(|error| chain(&error))
}

fn opened(documents: &Documents<'_>) -> Result<Timestamp, String> {
    documents.round_for_judging().map(|round| Timestamp::from_unix_millis(round.opened_at_ms))
}
