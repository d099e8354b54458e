//! Sums for calibration-in-the-large and the Brier score.

use super::MICRO;
use super::inconsistent::{Inconsistent, require};
use crate::wide::product_at_most;

/// Counts and fixed-point sums over cases with an outcome y and a probability p.
///
/// p is the probability of the rounded logit in units of 10⁻⁶
/// (see [`GridScore::probability_micro`](crate::grid::GridScore::probability_micro)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ProbabilitySums {
    /// Cases.
    pub n: u64,
    /// `Σ y`, the observed events.
    pub events: u64,
    /// `Σ p`, the expected events, in 10⁻⁶.
    pub expected_micro: u64,
    /// `Σ (y − p)²`, in 10⁻¹².
    pub brier_pico: u128,
}

impl ProbabilitySums {
    /// Tests the relations that hold for any data.
    ///
    /// # Errors
    ///
    /// The first relation of [`Inconsistent`] that is violated.
    pub fn check(&self) -> Result<(), Inconsistent> {
        let (n, micro) = (u128::from(self.n), u128::from(MICRO));
        let expected = u128::from(self.expected_micro);
        require(self.events <= self.n && expected <= n * micro, Inconsistent::PartExceedsWhole)?;
        let observed = u128::from(self.events) * micro;
        let excess = observed.abs_diff(expected);
        require(
            product_at_most(excess, excess, n, self.brier_pico),
            Inconsistent::SquaresTooSmall,
        )?;
        // Each |y − p| is at most 1.
        require(
            product_at_most(self.brier_pico, 1, n * micro, micro),
            Inconsistent::SquaresTooLarge,
        )?;
        // Squares of residuals in 10⁻⁶ have the residuals' parity.
        require(excess % 2 == self.brier_pico % 2, Inconsistent::Parity)
    }

    /// The sums of two disjoint cohorts (saturating, so that merging stays associative whatever a
    /// site sends).
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            n: self.n.saturating_add(other.n),
            events: self.events.saturating_add(other.events),
            expected_micro: self.expected_micro.saturating_add(other.expected_micro),
            brier_pico: self.brier_pico.saturating_add(other.brier_pico),
        }
    }
}

/// Reduces cases, each `(p in 10⁻⁶, event)`, to their sums. A p above 1 counts as 1.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::probability_sums;
///
/// let sums = probability_sums([(250_000, false), (900_000, true)]);
/// assert_eq!((sums.n, sums.events, sums.expected_micro), (2, 1, 1_150_000));
/// assert_eq!(sums.brier_pico, 72_500_000_000); // 0.0625 + 0.01
/// ```
#[must_use]
pub fn probability_sums(rows: impl IntoIterator<Item = (u32, bool)>) -> ProbabilitySums {
    rows.into_iter().fold(ProbabilitySums::default(), |sums, (micro, event)| {
        let probability = micro.min(MICRO);
        let outcome = if event { MICRO } else { 0 };
        let residual = u128::from(outcome.abs_diff(probability));
        sums.merge(ProbabilitySums {
            n: 1,
            events: u64::from(event),
            expected_micro: u64::from(probability),
            brier_pico: residual * residual,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_sums_are_named() {
        let good = probability_sums([(250_000, false), (900_000, true)]);
        assert_eq!(good.check(), Ok(()));
        let cases = [
            (ProbabilitySums { events: 3, ..good }, Inconsistent::PartExceedsWhole),
            (ProbabilitySums { expected_micro: 2_000_001, ..good }, Inconsistent::PartExceedsWhole),
            (ProbabilitySums { brier_pico: 2, ..good }, Inconsistent::SquaresTooSmall),
            (ProbabilitySums { brier_pico: u128::MAX, ..good }, Inconsistent::SquaresTooLarge),
            (ProbabilitySums { brier_pico: 72_500_000_001, ..good }, Inconsistent::Parity),
        ];
        for (sums, violated) in cases {
            assert_eq!(sums.check(), Err(violated), "{sums:?}");
        }
    }

    #[test]
    fn nothing_passes_as_nothing() {
        assert_eq!(probability_sums([]).check(), Ok(()));
        let something = ProbabilitySums { brier_pico: 2, ..ProbabilitySums::default() };
        assert_eq!(something.check(), Err(Inconsistent::SquaresTooLarge));
    }
}
