//! Explanation maps beside annotated regions: does the model look where the finding is?
//!
//! # References
//!
//! - J. Zhang et al. (2018). Int. J. Comput. Vis. 126, 1084–1102 (the pointing game).
//! - H. Wang et al. (2020). CVPR Workshops, 111–119 (energy inside).

use ndarray::ArrayD;

use crate::NotEstimable;
use crate::aggregate::{RankedCase, rank_sums};
use crate::auroc::auc_of;
use crate::count::{finite, len_to_f64};

/// An explanation map with the mask of the finding, pixel for pixel; all values finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    heat: Vec<f64>,
    mask: Vec<bool>,
}

impl Explanation {
    /// Pairs a map with a mask of the same shape; pixels count in C order.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without pixels; [`NotEstimable::InvalidInput`] where shapes differ or a
    /// value is not finite.
    pub fn new(heat: &ArrayD<f64>, mask: &ArrayD<bool>) -> Result<Self, NotEstimable> {
        if heat.is_empty() {
            return Err(NotEstimable::EmptyInput);
        }
        if heat.shape() != mask.shape() || heat.iter().any(|value| !value.is_finite()) {
            return Err(NotEstimable::InvalidInput);
        }
        // A rounded map has zeros of both signs, which are one level.
        let heat = heat.iter().map(|value| value + 0.0).collect();
        Ok(Self { heat, mask: mask.iter().copied().collect() })
    }

    /// Whether the highest pixel, the first in C order where several are, lies inside the mask.
    #[must_use]
    pub fn pointing_hit(&self) -> bool {
        let mut peak = 0;
        for (pixel, value) in self.heat.iter().enumerate() {
            if *value > self.heat[peak] {
                peak = pixel;
            }
        }
        self.mask[peak]
    }

    /// The share of the map's energy, its values above 0, that lies inside the mask.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::ConstantScore`] where no value is above 0, [`NotEstimable::InvalidInput`] where their sum
    /// is not finite.
    pub fn energy_inside(&self) -> Result<f64, NotEstimable> {
        let energy = |only_inside: bool| {
            let pixels = self.heat.iter().zip(&self.mask);
            let kept = pixels.filter(|(_, inside)| !only_inside || **inside);
            kept.fold(0.0, |sum, (value, _)| sum + value.max(0.0))
        };
        let total = energy(false);
        if total > 0.0 { finite(energy(true) / total) } else { Err(NotEstimable::ConstantScore) }
    }

    /// [`energy_inside`](Self::energy_inside) over the mask's share of pixels: 1 for a map that does not
    /// know where the finding is.
    ///
    /// # Errors
    ///
    /// Those of [`energy_inside`](Self::energy_inside), and [`NotEstimable::OneClassOnly`] with an empty
    /// mask.
    pub fn mass_concentration(&self) -> Result<f64, NotEstimable> {
        let inside = self.energy_inside()?;
        let covered = self.covered();
        if covered == 0 {
            return Err(NotEstimable::OneClassOnly);
        }
        Ok(inside / (len_to_f64(covered) / len_to_f64(self.mask.len())))
    }

    /// Overlap of the mask with the `⌈fraction · pixels⌉` highest pixels, at least one; equal ones count in
    /// C order.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] unless `0 <= fraction <= 1`.
    pub fn top_overlap(&self, fraction: f64) -> Result<TopOverlap, NotEstimable> {
        if !(0.0..=1.0).contains(&fraction) {
            return Err(NotEstimable::InvalidInput);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the number of pixels"
        )]
        let wanted = libm::ceil(fraction * len_to_f64(self.heat.len())) as usize;
        let mut order: Vec<usize> = (0..self.heat.len()).collect();
        order.sort_by(|a, b| self.heat[*b].total_cmp(&self.heat[*a]));
        let top = &order[..wanted.clamp(1, self.heat.len())];
        Ok(TopOverlap {
            top: top.len(),
            covered: self.covered(),
            both: top.iter().filter(|pixel| self.mask[**pixel]).count(),
        })
    }

    /// The AUROC of the map's values for the pixels of the mask.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::OneClassOnly`] where the mask is empty or full.
    pub fn pixel_auroc(&self) -> Result<f64, NotEstimable> {
        let mut levels = self.heat.clone();
        levels.sort_by(f64::total_cmp);
        let rank = |value: f64| levels.partition_point(|level| *level < value);
        let cases: Vec<RankedCase> = self
            .heat
            .iter()
            .zip(&self.mask)
            .map(|(value, &positive)| RankedCase {
                rank_key: i64::try_from(rank(*value)).unwrap_or(i64::MAX),
                positive,
                cluster: 0,
            })
            .collect();
        auc_of(&rank_sums(&cases).0)
    }

    fn covered(&self) -> usize {
        self.mask.iter().filter(|inside| **inside).count()
    }
}

/// Pixels of the top of a map, of a mask, and of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopOverlap {
    /// Pixels of the top.
    pub top: usize,
    /// Pixels of the mask.
    pub covered: usize,
    /// Pixels of both.
    pub both: usize,
}

impl TopOverlap {
    /// Intersection over union.
    #[must_use]
    pub fn iou(&self) -> f64 {
        // The top has a pixel at least.
        len_to_f64(self.both) / len_to_f64(self.top + self.covered - self.both)
    }

    /// Dice's coefficient.
    #[must_use]
    pub fn dice(&self) -> f64 {
        2.0 * len_to_f64(self.both) / len_to_f64(self.top + self.covered)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::arr1;

    use super::*;

    fn explanation(heat: &[f64], mask: &[bool]) -> Explanation {
        Explanation::new(&arr1(heat).into_dyn(), &arr1(mask).into_dyn()).unwrap()
    }

    #[test]
    fn a_cold_map_points_at_its_first_pixel_and_has_no_energy() {
        let cold = explanation(&[0.0, -1.0, 0.0], &[true, false, false]);
        assert!(cold.pointing_hit());
        assert_eq!(cold.energy_inside(), Err(NotEstimable::ConstantScore));
    }

    #[test]
    fn zeros_of_both_signs_are_one_level() {
        let top = explanation(&[-0.0, 0.0, -1.0], &[true, false, false]).top_overlap(0.1).unwrap();
        assert_eq!((top.top, top.both), (1, 1));
    }

    #[test]
    fn an_empty_and_a_full_mask_have_their_reasons() {
        let empty = explanation(&[0.2, 0.4], &[false, false]);
        assert_eq!(empty.mass_concentration(), Err(NotEstimable::OneClassOnly));
        assert_eq!(empty.pixel_auroc(), Err(NotEstimable::OneClassOnly));
        assert!(empty.top_overlap(0.5).unwrap().iou().abs() < 1e-15);
        let full = explanation(&[0.2, 0.4], &[true, true]);
        assert_eq!(full.pixel_auroc(), Err(NotEstimable::OneClassOnly));
        assert!((full.energy_inside().unwrap() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn shapes_must_agree_and_values_be_numbers() {
        let refused = |heat: &[f64], mask: &[bool]| {
            Explanation::new(&arr1(heat).into_dyn(), &arr1(mask).into_dyn()).unwrap_err()
        };
        assert_eq!(refused(&[], &[]), NotEstimable::EmptyInput);
        assert_eq!(refused(&[1.0], &[true, false]), NotEstimable::InvalidInput);
        assert_eq!(refused(&[f64::NAN], &[true]), NotEstimable::InvalidInput);
    }
}
