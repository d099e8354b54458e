//! A version of a protocol that takes the place of an earlier one.

use serde::{Deserialize, Serialize};

use super::{LockedProtocol, StudyProtocol};
use crate::digest::ProtocolDigest;

/// What an amended protocol says about the version before it. It stands inside what the sponsor signs, so that
/// no version can be slipped in between, left out, or given another reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amendment {
    /// The version before.
    pub protocol: ProtocolDigest,
    /// Why it was amended, for people.
    pub reason: String,
}

impl StudyProtocol {
    /// The same plan as the version that follows `before`.
    #[must_use]
    pub fn amending(self, before: &LockedProtocol, reason: &str) -> Self {
        let reason = reason.trim().to_owned();
        let amends = Some(Amendment { protocol: before.digest(), reason });
        Self { version: before.protocol().version.saturating_add(1), amends, ..self }
    }
}
