//! Findings with a place and a probability, beside annotated ones.
//!
//! [`match_scan`] holds candidates against lesions by the rule of LUNA16, [`Froc`] is the curve over its
//! results; [`average_precision`] is COCO's for boxes, [`CountsAtScores`] gives it from counts at some scores. A site
//! sends [`DetectionCounts`] and [`BoxCounts`].

mod box_counts;
mod box_findings;
mod box_matching;
mod coco;
mod froc;
mod lesion_matching;
mod released_scores;

pub use box_counts::BoxCounts;
pub use box_findings::{ReferenceBox, match_boxes};
pub use box_matching::{BoundingBox, Detection};
pub use coco::{AveragePrecision, ImageBoxes, average_precision};
pub use froc::{CPM_RATES, DetectionCounts, Froc};
pub use lesion_matching::{Candidate, Lesion, ScanFindings, match_scan};
pub use released_scores::CountsAtScores;
