//! The areas of every reader under every treatment.

use ndarray::Array2;

use crate::NotEstimable;
use crate::auroc::JointAuroc;
use crate::count::len_to_f64;

/// Areas of r ≥ 2 readers under t ≥ 2 treatments, with the covariance of all of them.
///
/// The index test of reader i under treatment j stands at `i · t + j` of the [`JointAuroc`].
#[derive(Debug, Clone, PartialEq)]
pub struct ReaderStudy {
    joint: JointAuroc,
    readers: usize,
    treatments: usize,
}

impl ReaderStudy {
    /// Reads the areas as those of `readers` readers.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] unless there are at least two readers and two treatments, and an area
    /// for each of both.
    pub fn new(joint: JointAuroc, readers: usize) -> Result<Self, NotEstimable> {
        let areas = joint.auc.len();
        if readers < 2 || !areas.is_multiple_of(readers) || areas / readers < 2 {
            return Err(NotEstimable::InvalidInput);
        }
        Ok(Self { treatments: areas / readers, joint, readers })
    }

    /// Readers and treatments.
    #[must_use]
    pub const fn shape(&self) -> (usize, usize) {
        (self.readers, self.treatments)
    }

    /// The areas, r × t.
    #[must_use]
    pub fn areas(&self) -> Array2<f64> {
        Array2::from_shape_fn(self.shape(), |(i, j)| self.joint.auc[i * self.treatments + j])
    }

    /// The mean covariance over pairs of areas that `is_meant` picks by `(reader, treatment)` of each.
    pub(super) fn mean_covariance(
        &self,
        is_meant: impl Fn((usize, usize), (usize, usize)) -> bool,
    ) -> f64 {
        let at = |place: usize| (place / self.treatments, place % self.treatments);
        let (mut sum, mut count) = (0.0, 0);
        for ((a, b), covariance) in self.joint.covariance.indexed_iter() {
            if is_meant(at(a), at(b)) {
                sum += covariance;
                count += 1;
            }
        }
        // With two readers and two treatments there is a pair of each kind.
        if count == 0 { 0.0 } else { sum / len_to_f64(count) }
    }
}
