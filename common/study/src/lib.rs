//! The words of a study: identifiers, protocol (draft to locked), aggregates as they are sent,
//! site results, and the canonical form that is digested and signed.

pub mod canonical;
pub mod classes;
pub mod coarse;
pub mod condition_groups;
pub mod conditions;
pub mod detection;
pub mod digest;
pub mod dispatch;
pub mod draft;
mod electronic_signature;
pub mod empty_masks;
mod form;
pub mod id;
pub mod ledger_mark;
mod log;
pub mod measures;
mod member_cells;
pub mod members;
mod merkle;
pub mod metric;
pub mod noisy;
pub mod performance;
pub mod person;
mod probes;
pub mod protocol;
pub mod result;
pub mod round;
pub mod summary;
pub mod terms;
mod two_figures;

/// What this crate's errors implement and its records are dated with.
pub use fedval_ambient::{Exit, Problem, Timestamp};

pub use canonical::{Canonical, CanonicalError};
pub use classes::ClassPerformance;
pub use coarse::CoarsePerformance;
pub use conditions::ConditionPerformance;
pub use detection::DetectionPerformance;
pub use digest::{
    BuildDigest, CohortCommitment, ModelDigest, PolicyDigest, ProtocolDigest, ResultDigest,
    Sha256Digest,
};
pub use dispatch::Dispatch;
pub use electronic_signature::{ElectronicSignature, PrintedName, SignatureMeaning};
pub use empty_masks::EmptyMasks;
pub use id::{IdError, Name, RoundId, SiteId, StudyId};
pub use ledger_mark::LedgerMark;
pub use log::{
    EarlierDispatches, LogCheckpoint, LogEntry, LogEvent, earlier_dispatches, protocol_records,
};
pub use measures::{Measure, MeasurePerformance};
pub use members::Members;
pub use merkle::{MerkleTree, leaf_hash};
pub use metric::{ConditionMetric, MetricId};
pub use noisy::NoisyPerformance;
pub use performance::{OperatingPointCounts, PatientCounts, Performance};
pub use person::PersonRole;
pub use probes::{ProbeDigests, ProbeName};
pub use protocol::{LockedProtocol, ProtocolHistory, StudyProtocol};
pub use result::{Cell, FailedStage, Outcome, Release, ResultHeader, ScoreSource, SiteResult};
pub use round::{ProtocolRecord, RoundRecord, SiteRecord, SiteStatus};
pub use summary::SiteSummary;
pub use terms::Terms;
