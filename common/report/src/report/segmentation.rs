//! What a report of masks holds beside metrics.

use fedval_study::protocol::{Border, Structure};
use serde::{Deserialize, Serialize};

/// How masks were measured, and who has an empty one, over the sites that tell it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentationSection {
    /// What counts as a surface.
    pub border: Border,
    /// A patient's distance beyond this counts as this, in millimetres.
    pub hd95_bound_mm: f64,
    /// Values of voxels that belong to the structure.
    pub labels: Vec<u16>,
    /// Patients in whom both masks hold the structure.
    pub measured: u64,
    /// Of these, patients of sites that tell how many the model missed.
    pub measured_beside_missed: u64,
    /// Patients in whom the model missed it.
    pub missed: u64,
    /// Patients without the structure, in whom none was seen.
    pub neither: u64,
    /// Names of regions that are the structure in a DICOM RT Structure Set; none where the protocol lists none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rois: Vec<String>,
    /// Patients without the structure, in whom one was seen.
    pub spurious: u64,
    /// Up to this distance surfaces agree, in millimetres.
    pub tolerance_mm: f64,
}

impl SegmentationSection {
    /// That of a protocol, without anybody yet.
    pub(crate) fn of(structure: &Structure) -> Self {
        Self {
            border: structure.border,
            hd95_bound_mm: structure.hd95_bound_mm(),
            labels: structure.labels.clone(),
            measured: 0,
            measured_beside_missed: 0,
            missed: 0,
            neither: 0,
            rois: structure.rois.clone(),
            spurious: 0,
            tolerance_mm: structure.tolerance_mm(),
        }
    }
}
