//! The study protocol: everything that decides a number, fixed before the first case is read.

mod amendment;
mod analysis;
mod change;
mod condition;
mod crossing;
mod detection;
mod history;
mod locked;
mod model;
mod output;
mod prediction_tables;
mod probe_rule;
mod quantity;
mod structure;
mod subgroup;
mod suppression;
mod task;
mod volume;

use serde::{Deserialize, Serialize};

pub use amendment::Amendment;
pub use analysis::{
    Analysis, Combine, DisclosureFloor, Endpoint, EndpointBasis, EndpointDirection, OperatingPoint,
    Profile, ReferenceStandard, Unit,
};
pub use change::{Change, changes};
pub use condition::{Assessed, Condition, MOST_CONDITIONS, UnknownValue};
pub use crossing::{Crossing, Table, TableKind};
pub use detection::{
    DETECTION_BINS, DetectionPlan, DetectionPoint, MOST_CANDIDATES, MOST_LESIONS, Matching,
};
pub use history::{HistoryError, ProtocolHistory, follows};
pub use locked::{LockError, LockedProtocol};
pub use model::{
    FrameChoice, Layout, ModelInput, ModelOutput, ModelSpecification, Monochrome1, Resize,
    ScoreScale, ValueScaling,
};
pub use output::{
    BoxOutput, MOST_MASK_CHANNELS, MOST_MASK_VALUES, MOST_VOLUME_MASK_VALUES, MaskOutput, MaskRule,
    OutputForm,
};
pub use prediction_tables::PredictionTables;
pub use probe_rule::ProbeRule;
pub use quantity::Quantity;
pub use structure::{Border, MOST_LABELS, MOST_MICROMETRES, MOST_ROI_NAME, Structure};
pub use subgroup::{AttributeSource, Band, Category, DICOM_ATTRIBUTES, Dimension, Grouping};
pub use suppression::{ClassScope, MOST_OVERLAPPING, Suppression};
pub use task::{Class, Labels, MOST_CLASSES, Reference, Task};
pub use volume::{AxisOrder, GantryTilt, NoAxisOrder, Slab, SlabPooling, Towards, VolumeInput};

use crate::id::StudyId;

/// Schema of the protocol document that this version writes.
pub const PROTOCOL_SCHEMA: &str = "fedval.protocol/1";

/// A study protocol. Locked, it never changes: an amendment is a new version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyProtocol {
    /// [`PROTOCOL_SCHEMA`].
    pub schema: String,
    /// The study.
    pub id: StudyId,
    /// Version of the protocol, from 1.
    pub version: u32,
    /// What this version amends, and why; absent of the first that was locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amends: Option<Amendment>,
    /// Title for people.
    pub title: String,
    /// The disease sought.
    pub target_condition: String,
    /// Which patients and images belong in, for people; empty where the study does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub eligibility: String,
    /// What the index test answers, and by which classes.
    #[serde(default, skip_serializing_if = "Task::is_binary")]
    pub task: Task,
    /// The model: the index test.
    pub model: ModelSpecification,
    /// Whether a site may bring scores instead of images.
    #[serde(default, skip_serializing_if = "PredictionTables::is_refuse")]
    pub prediction_tables: PredictionTables,
    /// Whether results must show that preprocessing is the protocol's.
    #[serde(default, skip_serializing_if = "ProbeRule::is_accept")]
    pub preprocessing_probes: ProbeRule,
    /// What it is judged against.
    pub reference_standard: ReferenceStandard,
    /// Unit of analysis and rules of estimation.
    pub analysis: Analysis,
    /// Locked positivity cut-offs.
    pub operating_points: Vec<OperatingPoint>,
    /// Subgroup dictionary.
    pub subgroups: Vec<Dimension>,
    /// Pairs of dimensions that are also broken down together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crossings: Vec<Crossing>,
    /// Endpoints with their acceptance limits.
    pub endpoints: Vec<Endpoint>,
    /// The least disclosure control that sites must apply; each may apply more.
    pub disclosure: DisclosureFloor,
}
