//! What a study of findings with a place fixes beforehand: when a finding counts as found, and at which scores.

use serde::{Deserialize, Serialize};

use crate::id::Name;

/// Numbers of equal bins that scores from 0 to 1 may be cut into: an enumeration, so that no edge is chosen by
/// what the data or the model show (disclosure rule DC-08).
pub const DETECTION_BINS: [u32; 2] = [10, 20];

/// Most lesions of a patient that any study counts. With k of at least 5 patients, two of them then never hold
/// nine tenths of all lesions (disclosure rule DC-10).
pub const MOST_LESIONS: u32 = 10;

/// Most findings of the model in a scan that any study counts.
pub const MOST_CANDIDATES: u32 = 100;

/// Thousandths in one.
const MILLE: f64 = 1000.0;

/// When a finding of the model is one of the reference standard's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// Findings are points, in millimetres, and it lies less than a radius from the lesion's centre (LUNA16).
    CentreInRadius,
    /// Findings are boxes, and intersection over union is at least so many thousandths.
    Iou(u32),
}

impl Matching {
    /// The smallest intersection over union; `None` of points.
    #[must_use]
    pub fn least_iou(self) -> Option<f64> {
        match self {
            Self::CentreInRadius => None,
            Self::Iou(milli) => Some(f64::from(milli) / MILLE),
        }
    }
}

/// The locked cut-off of a study of findings: an edge of the grid, so that no other cut-off lies near it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionPoint {
    /// Place of the edge: the score `edge / bins`.
    pub edge: u32,
    /// Its name.
    pub name: Name,
}

/// What a study of findings counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionPlan {
    /// Equal bins of scores from 0 to 1: one of [`DETECTION_BINS`].
    pub bins: u32,
    /// When a finding counts as found.
    pub matching: Matching,
    /// Findings of the model in a scan beyond so many, from the highest score down, are left out.
    pub most_candidates: u32,
    /// Lesions of a patient beyond so many, in the order of the site's files, are excluded: a finding in one counts
    /// neither for nor against the model.
    pub most_lesions: u32,
    /// The locked cut-off.
    pub point: DetectionPoint,
}

impl DetectionPlan {
    /// The score at an edge, 0 to 1: as near to the decimal number as any file writes it.
    #[must_use]
    pub fn threshold(&self, edge: u32) -> f64 {
        f64::from(edge) / f64::from(self.bins.max(1))
    }

    /// The edges, from that of all findings to that of the highest scores.
    #[must_use]
    pub const fn edges(&self) -> std::ops::Range<u32> {
        0..self.bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_the_number_that_a_table_writes() {
        let point = DetectionPoint { edge: 3, name: "call".parse().unwrap() };
        let plan = DetectionPlan {
            bins: 20,
            matching: Matching::Iou(500),
            most_candidates: 20,
            most_lesions: 10,
            point,
        };
        for (edge, text) in [(3, "0.15"), (7, "0.35"), (11, "0.55"), (19, "0.95"), (0, "0")] {
            let written: f64 = text.parse().unwrap();
            assert_eq!(plan.threshold(edge).to_bits(), written.to_bits(), "{text}");
        }
        assert_eq!(plan.edges().len(), 20);
        assert_eq!(plan.matching.least_iou(), Some(0.5));
        let text = serde_json::to_string(&crate::protocol::Task::Detection(plan)).unwrap();
        assert!(text.starts_with(r#"{"detection":{"bins":20,"matching":{"iou":500}"#), "{text}");
    }
}
