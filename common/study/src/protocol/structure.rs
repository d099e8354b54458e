//! What a study of masks looks for in them, and how it measures.

use serde::{Deserialize, Serialize};

use crate::measures::{Measure, MeasureRange};

/// Most labels of a structure, and of the others in the same masks.
pub const MOST_LABELS: usize = 64;

/// Most characters of a region's name: DICOM has no longer ones.
pub const MOST_ROI_NAME: usize = 64;

/// Largest bound of distances and largest tolerance, in micrometres: one metre.
pub const MOST_MICROMETRES: u32 = 1_000_000;

/// What counts as the surface of a mask. Both rules are in use and differ by millimetres on thick slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Border {
    /// The voxels that a neighbour across a face is not in; each counts once.
    VoxelBorder,
    /// The pieces of surface between voxels; each counts by its area.
    Surfel,
}

impl Border {
    /// The rule as documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VoxelBorder => "voxel_border",
            Self::Surfel => "surfel",
        }
    }
}

/// The structure that both masks of a case outline, and how the two are held against each other.
///
/// Lengths are whole micrometres: a protocol that is written and read again has the same digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Structure {
    /// Values of voxels that belong to it, in either mask; in DICOM SEG, numbers of segments. Never 0, which is the
    /// background.
    pub labels: Vec<u16>,
    /// Values that belong to something else. A case with any further value fails: a structure under another number
    /// than the protocol's would otherwise be counted as missed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_labels: Vec<u16>,
    /// Names of regions (ROI Name) that are it in a DICOM RT Structure Set; what is under any of them is joined. A file
    /// with none of them fails its case, and where none is listed, every such file does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rois: Vec<String>,
    /// What counts as a surface.
    pub border: Border,
    /// Up to which distance surfaces agree (normalised surface Dice), in micrometres.
    pub tolerance_um: u32,
    /// The 95th percentile of a case's distances is cut to this, in micrometres: what one patient can add to a mean is
    /// bounded by it (disclosure rule DC-10).
    pub hd95_bound_um: u32,
    /// From one pixel of a picture without a size to the next, in micrometres; without it, a mask that says no size
    /// fails its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel_spacing_um: Option<u32>,
}

impl Structure {
    /// Whether a value of a voxel is the structure's; `None` of one that the protocol does not know.
    #[must_use]
    pub fn holds(&self, value: u16) -> Option<bool> {
        if self.labels.contains(&value) {
            return Some(true);
        }
        (value == 0 || self.other_labels.contains(&value)).then_some(false)
    }

    /// What is measured of each patient, in the order in which it is released. Shares are told no more finely than to a
    /// thousandth, distances than to a hundredth of a millimetre.
    #[must_use]
    pub fn measures(&self) -> Vec<MeasureRange> {
        let hd95 = MeasureRange {
            measure: Measure::Hd95,
            lower_micro: 0,
            upper_micro: i64::from(self.hd95_bound_um) * 1_000,
            finest_micro: 10_000,
        };
        vec![share(Measure::Dice), hd95, share(Measure::Nsd)]
    }

    /// What alone is told where those in whom the structure was outlined are too few: Dice, a miss counting 0.
    #[must_use]
    pub const fn with_misses() -> MeasureRange {
        share(Measure::DiceMissesZero)
    }

    /// The tolerance in millimetres.
    #[must_use]
    pub fn tolerance_mm(&self) -> f64 {
        millimetres(self.tolerance_um)
    }

    /// The bound of distances in millimetres.
    #[must_use]
    pub fn hd95_bound_mm(&self) -> f64 {
        millimetres(self.hd95_bound_um)
    }

    /// From one pixel of a picture to the next, in millimetres.
    #[must_use]
    pub fn pixel_spacing_mm(&self) -> Option<f64> {
        self.pixel_spacing_um.map(millimetres)
    }
}

const fn share(measure: Measure) -> MeasureRange {
    MeasureRange { measure, lower_micro: 0, upper_micro: 1_000_000, finest_micro: 1_000 }
}

fn millimetres(micrometres: u32) -> f64 {
    f64::from(micrometres) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_structures_or_anothers_or_unknown() {
        let structure = Structure {
            labels: vec![1, 4],
            other_labels: vec![2],
            rois: Vec::new(),
            border: Border::Surfel,
            tolerance_um: 1_500,
            hd95_bound_um: 60_000,
            pixel_spacing_um: None,
        };
        let of = [0, 1, 2, 3, 4].map(|value| structure.holds(value));
        assert_eq!(of, [Some(false), Some(true), Some(false), None, Some(true)]);
        assert!((structure.tolerance_mm() - 1.5).abs() < 1e-15);
        let spans: Vec<u64> = structure.measures().iter().map(MeasureRange::span_micro).collect();
        assert_eq!(spans, [1_000_000, 60_000_000, 1_000_000]);
        let text = serde_json::to_string(&structure).unwrap();
        assert_eq!(
            text,
            r#"{"labels":[1,4],"other_labels":[2],"border":"surfel","tolerance_um":1500,"hd95_bound_um":60000}"#
        );
        assert_eq!(serde_json::from_str::<Structure>(&text).unwrap(), structure);
        let named = Structure { rois: vec!["Heart".to_owned()], ..structure };
        let text = serde_json::to_string(&named).unwrap();
        assert!(text.contains(r#""rois":["Heart"]"#), "{text}");
        assert_eq!(serde_json::from_str::<Structure>(&text).unwrap(), named);
    }
}
