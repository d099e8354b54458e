//! A mean of overlaps in which a missed structure counts 0.

use crate::NotEstimable;
use crate::count::count_to_f64;

/// Mean and spread of an overlap over all patients whose reference standard holds the structure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MissesAsZero {
    /// Patients: those whose structure was found and those in whom it was missed.
    pub patients: u64,
    /// Their mean, in the overlap's unit.
    pub mean: f64,
    /// Their sample standard deviation, with n − 1.
    pub sd: f64,
}

impl MissesAsZero {
    /// From `mean` and `sd` over `found` patients in whom both masks hold the structure, and a number of patients in
    /// whom it was missed, each of whom counts 0.
    ///
    /// With f found and m missed among n = f + m, by the law of total variance:
    ///
    /// ```text
    /// M = f mean / n,   (n − 1) SD² = (f − 1) sd² + f m mean² / n
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] where nobody was found, [`NotEstimable::TooFewPerClass`] with one patient in all,
    /// [`NotEstimable::InvalidInput`] where mean or spread is not finite or the spread is negative.
    ///
    /// # References
    ///
    /// - L. Maier-Hein et al. (2024). Metrics Reloaded. Nat. Methods 21, 195–212 (a missing value is the worst that
    ///   the metric can take, lest a model gain by failing).
    /// - The evaluation of BraTS since 2023, where a lesion that was missed has a Dice of 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::segmentation::MissesAsZero;
    ///
    /// // 0.8 and 0.9 found, two missed: the values 0.8, 0.9, 0, 0.
    /// let all = MissesAsZero::new(2, 0.85, 0.005_f64.sqrt(), 2)?;
    /// assert_eq!(all.patients, 4);
    /// assert!((all.mean - 0.425).abs() < 1e-15);
    /// # Ok::<(), fedval_stats::NotEstimable>(())
    /// ```
    pub fn new(found: u64, mean: f64, sd: f64, missed: u64) -> Result<Self, NotEstimable> {
        if found == 0 {
            return Err(NotEstimable::EmptyInput);
        }
        if !(mean.is_finite() && sd.is_finite() && sd >= 0.0) {
            return Err(NotEstimable::InvalidInput);
        }
        let patients = found.saturating_add(missed);
        if patients < 2 {
            return Err(NotEstimable::TooFewPerClass);
        }
        let (f, m, n) = (count_to_f64(found), count_to_f64(missed), count_to_f64(patients));
        let within = (f - 1.0) * sd * sd;
        let between = f * m / n * mean * mean;
        let sd = libm::sqrt((within + between) / (n - 1.0));
        // Squares of what no overlap is may have no room.
        let is_number = sd.is_finite();
        is_number
            .then_some(Self { patients, mean: mean * (f / n), sd })
            .ok_or(NotEstimable::InvalidInput)
    }

    /// The share of its patients in whom the structure was found: by so much an error of the mean over them is an
    /// error of this one.
    #[must_use]
    pub fn share(&self, found: u64) -> f64 {
        count_to_f64(found) / count_to_f64(self.patients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Moments;

    #[test]
    fn it_is_the_mean_and_spread_of_all_values_with_zeros_among_them() {
        let found = [0.91, 0.42, 0.77, 0.88, 0.05];
        for missed in [0_u8, 1, 4, 90] {
            let of = Moments::of(found).unwrap();
            let zeros = (0..missed).map(|_| 0.0);
            let all = Moments::of(found.into_iter().chain(zeros)).unwrap();
            let (mean, sd) = (of.mean().unwrap(), of.sd().unwrap());
            let got = MissesAsZero::new(5, mean, sd, missed.into()).unwrap();
            assert_eq!(got.patients, all.n);
            assert!((got.mean - all.mean().unwrap()).abs() < 1e-12, "{missed}");
            assert!((got.sd - all.sd().unwrap()).abs() < 1e-9, "{missed}");
            assert!((got.share(5) - 5.0 / (5.0 + f64::from(missed))).abs() < 1e-15);
        }
    }

    #[test]
    fn what_has_no_mean_or_spread_is_a_reason() {
        let of = MissesAsZero::new;
        assert_eq!(of(0, 0.0, 0.0, 9), Err(NotEstimable::EmptyInput));
        assert_eq!(of(1, 0.5, 0.0, 0), Err(NotEstimable::TooFewPerClass));
        for (mean, sd) in [(f64::NAN, 0.1), (0.5, f64::INFINITY), (0.5, -0.1), (1e300, 0.1)] {
            assert_eq!(of(9, mean, sd, 1), Err(NotEstimable::InvalidInput));
        }
    }
}
