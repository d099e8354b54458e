//! Robustness: the same cases with their images perturbed.
//!
//! The AUROC of a perturbed run is compared with the clean one by
//! [`paired_difference`](crate::auroc::paired_difference); here are the calls that flip at the locked
//! threshold and the trend over severities.

use crate::NotEstimable;
use crate::count::finite;
use crate::interval::Interval;
use crate::proportion::{estimate, wilson};

/// Cases whose call changed under a perturbation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flips {
    /// Cases.
    pub n: u64,
    /// Cases that are called otherwise than without the perturbation.
    pub flips: u64,
}

impl Flips {
    /// Counts cases by their call without and with the perturbation.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::robustness::Flips;
    ///
    /// let flips = Flips::of([(true, true), (true, false), (false, false)]);
    /// assert_eq!((flips.n, flips.flips), (3, 1));
    /// ```
    #[must_use]
    pub fn of(calls: impl IntoIterator<Item = (bool, bool)>) -> Self {
        calls.into_iter().fold(Self::default(), |sum, (clean, perturbed)| {
            sum.merge(Self { n: 1, flips: u64::from(clean != perturbed) })
        })
    }

    /// The counts of two disjoint cohorts together (saturating).
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self { n: self.n.saturating_add(other.n), flips: self.flips.saturating_add(other.flips) }
    }

    /// The share of calls that flip, with Wilson's interval.
    ///
    /// # Errors
    ///
    /// Those of [`wilson`].
    pub fn rate(&self, level: f64) -> Result<Interval, NotEstimable> {
        wilson(self.flips, self.n, level)
    }

    /// The share of calls that flip.
    ///
    /// # Errors
    ///
    /// Those of [`estimate`].
    pub fn share(&self) -> Result<f64, NotEstimable> {
        estimate(self.flips, self.n)
    }
}

/// The change of a metric per unit of severity, through the origin: without a perturbation nothing
/// changes. Each row is `(severity, change)`.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without rows; [`NotEstimable::InvalidInput`] where a number is not finite;
/// [`NotEstimable::ConstantScore`] where every severity is 0.
///
/// # Examples
///
/// ```
/// use fedval_stats::robustness::severity_slope;
///
/// assert!((severity_slope(&[(1.0, -0.01), (2.0, -0.02)])? + 0.01).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn severity_slope(rows: &[(f64, f64)]) -> Result<f64, NotEstimable> {
    if rows.is_empty() {
        return Err(NotEstimable::EmptyInput);
    }
    if rows.iter().any(|(severity, change)| !severity.is_finite() || !change.is_finite()) {
        return Err(NotEstimable::InvalidInput);
    }
    let products = rows.iter().fold(0.0, |sum, (severity, change)| sum + severity * change);
    let squares = rows.iter().fold(0.0, |sum, (severity, _)| sum + severity * severity);
    if squares <= 0.0 {
        return Err(NotEstimable::ConstantScore);
    }
    finite(products / squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_rate_and_no_slope() {
        assert_eq!(Flips::default().share(), Err(NotEstimable::EmptyInput));
        assert_eq!(severity_slope(&[]), Err(NotEstimable::EmptyInput));
        assert_eq!(severity_slope(&[(0.0, 0.1)]), Err(NotEstimable::ConstantScore));
        assert_eq!(severity_slope(&[(f64::NAN, 0.1)]), Err(NotEstimable::InvalidInput));
    }
}
