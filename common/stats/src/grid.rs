//! The score grid: log-odds in steps of 10⁻⁵, clipped to ±13.8155.
//!
//! Rank statistics use the integer itself; probability sums use the probability of the *rounded*
//! logit. Rounding on the logit scale keeps scores apart that crowd at the ends of the
//! probability scale: rounding probabilities to 1/1000 instead visibly moves an AUROC.

use crate::scale::{Logit, Probability, expit, logit};

/// Grid steps in one unit of log-odds.
const STEPS_PER_UNIT: f64 = 1e5;

/// The last step: 13.8155, the logit of 1 − 10⁻⁶ to four decimals.
const LAST_STEP: i32 = 1_381_550;

/// Units of a fixed-point probability.
const MICRO: f64 = 1e6;

/// A model's score on the grid.
///
/// # Examples
///
/// ```
/// use fedval_stats::grid::GridScore;
/// use fedval_stats::scale::Probability;
///
/// let certain = GridScore::from_probability(Probability::new(1.0)?);
/// assert_eq!(certain.steps(), 1_381_550);
/// assert_eq!(GridScore::from_probability(Probability::new(0.5)?).probability_micro(), 500_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GridScore(i32);

impl GridScore {
    /// The grid score of a probability; 0 and 1 clip to the ends of the grid.
    #[must_use]
    pub fn from_probability(probability: Probability) -> Self {
        let p = probability.get();
        if p <= 0.0 {
            Self(-LAST_STEP)
        } else if p >= 1.0 {
            Self(LAST_STEP)
        } else {
            Self::round(logit(p))
        }
    }

    /// The grid score of a log-odds, clipped to the grid.
    #[must_use]
    pub fn from_logit(logit: Logit) -> Self {
        Self::round(logit.get())
    }

    /// The grid score with this number of steps, or `None` outside the grid.
    #[must_use]
    pub fn from_steps(steps: i32) -> Option<Self> {
        (-LAST_STEP..=LAST_STEP).contains(&steps).then_some(Self(steps))
    }

    /// The score in steps of 10⁻⁵ log-odds.
    #[must_use]
    pub fn steps(self) -> i32 {
        self.0
    }

    /// The rounded log-odds.
    #[must_use]
    pub fn logit(self) -> f64 {
        f64::from(self.0) / STEPS_PER_UNIT
    }

    /// The probability of the rounded log-odds, rounded to 10⁻⁶, in 0..=1 000 000.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "expit lies in [0, 1], so the rounded number lies in 0..=1_000_000"
    )]
    pub fn probability_micro(self) -> u32 {
        libm::round(expit(self.logit()) * MICRO) as u32
    }

    /// Rounds half away from zero after clipping, so that the cast is in range.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clipped to the grid, whose ends fit an i32; a logit is never NaN"
    )]
    fn round(logit: f64) -> Self {
        let last = f64::from(LAST_STEP);
        Self(libm::round((logit * STEPS_PER_UNIT).clamp(-last, last)) as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(p: f64) -> GridScore {
        GridScore::from_probability(Probability::new(p).unwrap())
    }

    #[test]
    fn the_ends_clip() {
        assert_eq!(at(0.0).steps(), -LAST_STEP);
        assert_eq!(at(1.0).steps(), LAST_STEP);
        assert_eq!(at(1e-300).steps(), -LAST_STEP);
        assert_eq!(GridScore::from_logit(Logit::new(-50.0).unwrap()).steps(), -LAST_STEP);
    }

    #[test]
    fn steps_outside_the_grid_are_refused() {
        assert_eq!(GridScore::from_steps(LAST_STEP + 1), None);
        assert_eq!(GridScore::from_steps(-LAST_STEP - 1), None);
        assert_eq!(GridScore::from_steps(7).map(GridScore::steps), Some(7));
    }

    #[test]
    fn the_fixed_point_probability_is_that_of_the_rounded_logit() {
        assert_eq!(at(0.5).probability_micro(), 500_000);
        assert_eq!(at(0.0).probability_micro(), 1);
        assert_eq!(at(1.0).probability_micro(), 999_999);
        // logit(0.123457) = −1.960234…; rounding it to −1.96023 moves the probability below 1e-6.
        assert_eq!(at(0.123_457).probability_micro(), 123_457);
    }

    #[test]
    fn order_is_the_order_of_the_probabilities() {
        assert!(at(0.2) < at(0.3));
        assert!(at(0.999_98) < at(0.999_99));
    }
}
