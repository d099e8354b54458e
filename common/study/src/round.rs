//! What the coordinator records of a round: who was asked, who answered what, and when.

use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;
use crate::digest::{ModelDigest, ProtocolDigest, ResultDigest};
use crate::id::{RoundId, SiteId, StudyId};

/// What came of a round at one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteStatus {
    /// Aggregates arrived.
    Released,
    /// The site's denominators are too small for anything to leave.
    Insufficient,
    /// The site refused.
    Refused,
    /// The site's evaluation did not finish.
    Failed,
    /// Nothing arrived.
    Missing,
}

impl SiteStatus {
    /// The word reports print.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Insufficient => "insufficient",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Missing => "missing",
        }
    }
}

/// One site in a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteRecord {
    /// The site.
    pub site: SiteId,
    /// When the study was dispatched to it, milliseconds since 1970-01-01 UTC.
    pub dispatched_at_ms: i64,
    /// What came of it.
    pub status: SiteStatus,
    /// Digest of its result; absent exactly where it is missing.
    pub result: Option<ResultDigest>,
    /// When its result was recorded.
    pub recorded_at_ms: Option<i64>,
    /// How often the model had been dispatched to it before, in any study, by the coordinator's log.
    #[serde(serialize_with = "exact_u64")]
    pub earlier_dispatches: u64,
    /// How often any model had been, in any study, by the same log; absent of records of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_dispatches_any_model: Option<u64>,
}

/// A version of the protocol, as the coordinator's log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolRecord {
    /// Its digest.
    pub protocol: ProtocolDigest,
    /// When it was locked, milliseconds since 1970-01-01 UTC.
    pub locked_at_ms: i64,
    /// Results of the study that the log held by then: what whoever amended it could know.
    #[serde(serialize_with = "exact_u64")]
    pub results_before: u64,
}

/// One round of a study, as the coordinator signs it beside the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundRecord {
    /// Version of the coordinator that recorded it; reports print it, whoever recomputes them.
    pub software_version: String,
    /// How that version computed numbers and drew pages: what is made again by another way agrees in numbers,
    /// and not to the last byte.
    pub report_revision: u32,
    /// The study.
    pub study: StudyId,
    /// The round.
    pub round: RoundId,
    /// Digest of the protocol in force.
    pub protocol: ProtocolDigest,
    /// Digest of the model.
    pub model: ModelDigest,
    /// When it was opened, milliseconds since 1970-01-01 UTC.
    pub opened_at_ms: i64,
    /// When it was closed; absent while it is open.
    pub closed_at_ms: Option<i64>,
    /// Every version of the protocol up to the one in force, from the first; empty in records of earlier releases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protocols: Vec<ProtocolRecord>,
    /// Every site it was dispatched to, in order of ids.
    pub sites: Vec<SiteRecord>,
}
