//! What was studied, by what, and when.

use fedval_study::protocol::{Change, Combine, Unit};
use fedval_study::{ModelDigest, Name, ProtocolDigest, RoundId, StudyId};
use serde::{Deserialize, Serialize};

/// The program that made the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Software {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How it computed numbers and drew pages.
    pub revision: u32,
}

/// The study, as its locked protocol describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyIdentity {
    /// The study.
    pub id: StudyId,
    /// Version of the protocol.
    pub version: u32,
    /// SHA-256 of the protocol's canonical bytes.
    pub protocol_digest: ProtocolDigest,
    /// Title.
    pub title: String,
    /// The disease sought.
    pub target_condition: String,
    /// Who and what belongs in, as the protocol states it; empty where it does not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub eligibility: String,
    /// How the reference standard was established.
    pub reference_standard: String,
    /// Unit of analysis.
    pub unit: Unit,
    /// How several images of a patient become one score.
    pub combine: Option<Combine>,
    /// Confidence level of every interval.
    pub level: f64,
    /// Share of failed cases above which a site's evaluation fails.
    pub failure_limit: f64,
    /// Bins of the expected calibration error.
    pub ece_bins: u32,
    /// Locked positivity cut-offs.
    pub operating_points: Vec<OperatingPointLimit>,
    /// Every version of the protocol up to the one in force, from the first; empty where an earlier release
    /// recorded the round.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<ProtocolVersion>,
}

/// A locked version of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolVersion {
    /// Its number.
    pub version: u32,
    /// SHA-256 of its canonical bytes.
    pub protocol_digest: ProtocolDigest,
    /// When it was locked, by the coordinator's log; RFC 3339 (UTC).
    pub locked_at: String,
    /// Results of the study that the log held by then.
    pub results_before: u64,
    /// Why it took the place of the version before; absent of the first.
    pub reason: Option<String>,
    /// What it changed, in order of paths.
    pub changes: Vec<Change>,
}

/// A locked positivity cut-off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPointLimit {
    /// Its name.
    pub name: Name,
    /// Probability at and above which a case is called positive.
    pub threshold: f64,
}

/// The index test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelIdentity {
    /// Name.
    pub name: String,
    /// SHA-256 of the model file.
    pub digest: ModelDigest,
    /// Size of the file.
    pub bytes: u64,
}

/// The round, with times in RFC 3339 (UTC).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundIdentity {
    /// The round.
    pub id: RoundId,
    /// When it was opened.
    pub opened_at: String,
    /// When it was closed; absent where the report is interim.
    pub closed_at: Option<String>,
    /// The moment whose knowledge the report holds: the round's close, or the last recorded result.
    pub as_of: String,
}
