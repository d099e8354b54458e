//! Voxels in common.

use super::Masks;
use crate::NotEstimable;
use crate::count::count_to_f64;

/// Voxels by which of the two masks holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Overlap {
    /// In both.
    pub both: u64,
    /// In the reference standard's alone.
    pub only_reference: u64,
    /// In the predicted one alone.
    pub only_predicted: u64,
}

/// Counts voxels.
///
/// # Examples
///
/// ```
/// use fedval_stats::segmentation::{Masks, overlap};
/// use ndarray::arr2;
///
/// let reference = arr2(&[[true, true, true, false]]).into_dyn();
/// let predicted = arr2(&[[false, false, true, true]]).into_dyn();
/// let counts = overlap(&Masks::new(&reference, &predicted, &[1.0, 1.0])?);
/// assert_eq!((counts.both, counts.only_reference, counts.only_predicted), (1, 2, 1));
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
#[must_use]
pub fn overlap(masks: &Masks) -> Overlap {
    let pairs = masks.reference.voxels.iter().zip(&masks.predicted.voxels);
    pairs.fold(Overlap::default(), |mut counts, pair| {
        match pair {
            (true, true) => counts.both += 1,
            (true, false) => counts.only_reference += 1,
            (false, true) => counts.only_predicted += 1,
            (false, false) => {}
        }
        counts
    })
}

impl Overlap {
    /// Voxels of the reference standard's mask.
    #[must_use]
    pub const fn reference(&self) -> u64 {
        self.both.saturating_add(self.only_reference)
    }

    /// Voxels of the predicted mask.
    #[must_use]
    pub const fn predicted(&self) -> u64 {
        self.both.saturating_add(self.only_predicted)
    }

    /// The voxels of two disjoint regions together (saturating): Dice of the whole, not the mean of Dice.
    #[must_use]
    pub const fn merge(self, other: Self) -> Self {
        Self {
            both: self.both.saturating_add(other.both),
            only_reference: self.only_reference.saturating_add(other.only_reference),
            only_predicted: self.only_predicted.saturating_add(other.only_predicted),
        }
    }

    /// Dice's coefficient `2 |A ∩ B| / (|A| + |B|)`.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] where both masks are empty.
    ///
    /// # References
    ///
    /// - L. R. Dice (1945). Ecology 26, 297–302.
    pub fn dice(&self) -> Result<f64, NotEstimable> {
        let voxels = count_to_f64(self.reference()) + count_to_f64(self.predicted());
        share(2.0 * count_to_f64(self.both), voxels)
    }

    /// Intersection over union.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] where both masks are empty.
    pub fn iou(&self) -> Result<f64, NotEstimable> {
        let union = count_to_f64(self.reference()) + count_to_f64(self.only_predicted);
        share(count_to_f64(self.both), union)
    }

    /// The share of the reference standard's voxels that is predicted.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] where its mask is empty.
    pub fn sensitivity(&self) -> Result<f64, NotEstimable> {
        share(count_to_f64(self.both), count_to_f64(self.reference()))
    }

    /// The share of the predicted voxels that is the reference standard's.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] where the predicted mask is empty.
    pub fn precision(&self) -> Result<f64, NotEstimable> {
        share(count_to_f64(self.both), count_to_f64(self.predicted()))
    }

    /// Predicted volume minus the reference standard's, as a share of the latter.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] where the reference standard's mask is empty.
    pub fn relative_volume_difference(&self) -> Result<f64, NotEstimable> {
        let reference = count_to_f64(self.reference());
        share(count_to_f64(self.predicted()) - reference, reference)
    }
}

fn share(part: f64, whole: f64) -> Result<f64, NotEstimable> {
    if whole > 0.0 { Ok(part / whole) } else { Err(NotEstimable::EmptyInput) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_finding_has_a_dice_of_zero_and_no_precision() {
        let missed = Overlap { both: 0, only_reference: 12, only_predicted: 0 };
        assert!(missed.dice().unwrap().abs() < 1e-15 && missed.iou().unwrap().abs() < 1e-15);
        assert_eq!(missed.precision(), Err(NotEstimable::EmptyInput));
        assert!((missed.relative_volume_difference().unwrap() + 1.0).abs() < 1e-15);
    }
}
