//! The order that sends one locked protocol and one model to one site.

use serde::{Deserialize, Serialize};

use crate::digest::{ModelDigest, ProtocolDigest, Sha256Digest};
use crate::id::{RoundId, SiteId, StudyId};

/// What the coordinator signs when it dispatches a study to a site.
///
/// It binds protocol, model, round and site in one document, so that none can be exchanged
/// without the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    /// The study.
    pub study: StudyId,
    /// Version of its protocol, from 1.
    pub protocol_version: u32,
    /// The round this dispatch belongs to.
    pub round: RoundId,
    /// The only site that may act on it.
    pub site: SiteId,
    /// Digest of the locked protocol.
    pub protocol: ProtocolDigest,
    /// Size of the locked protocol, in bytes.
    pub protocol_bytes: u64,
    /// Digest of the model file.
    pub model: ModelDigest,
    /// Size of the model file, in bytes.
    pub model_bytes: u64,
    /// When it was issued, milliseconds since 1970-01-01 UTC.
    pub issued_at_ms: i64,
    /// Makes two dispatches of the same content distinct.
    pub nonce: Sha256Digest,
}
