//! Which of a model's overlapping boxes is the finding.

use serde::{Deserialize, Serialize};

/// Most boxes of an image that are held against each other: each with each, so that no output costs a site more than a
/// few hundredths of a second.
pub const MOST_OVERLAPPING: u32 = 4096;

/// Whether boxes of different classes suppress each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassScope {
    /// No: each class for itself.
    Apart,
    /// Yes: one place holds one finding, that of the class with the highest score.
    Together,
}

/// Non-maximum suppression, greedily from the highest score down: a box that overlaps one that was kept by more than
/// `iou` is left out. It is part of the protocol and not of the model's graph, so that it is the same with every engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// Boxes beyond so many, from the highest score down, are left out before any is compared.
    pub candidates: u32,
    /// Whether boxes of different classes suppress each other.
    pub classes: ClassScope,
    /// The largest intersection over union of two boxes that both stay, in thousandths, in pixels of the input.
    pub iou: u32,
}
