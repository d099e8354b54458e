//! Fisher's exact test of two independent proportions.

use crate::NotEstimable;
use crate::count::count_to_f64;

/// A table counts as no more probable than the observed one up to this relative difference, as in R:
/// tables of equal probability differ in their last digits.
const EQUAL: f64 = 1e-7;

/// More cases are not tested: the tables that count would be too many.
const MOST_CASES: u64 = 1 << 32;

/// A weight relative to the largest below which nothing is added any more.
const NEGLIGIBLE: f64 = 1e-300;

/// The two-sided p-value of Fisher's exact test that `(x, n)` of two groups share one proportion: the
/// probability, given both margins, of all tables that are no more probable than the observed one.
///
/// Weights go out from the most probable table by the ratio of neighbours, so that no factorial is
/// formed; O(√n) steps.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where an x exceeds its n or there are more than 2³² cases. An empty group, or
/// a margin of 0, leaves one table: p = 1.
///
/// # References
///
/// - R. A. Fisher (1935). J. R. Stat. Soc. 98, 39–82.
/// - The rule for two sides is that of R's `fisher.test`.
///
/// # Examples
///
/// ```
/// // Fisher's tea: 3 of 4 cups told right, 1 of 4 told wrong.
/// let p = fedval_stats::proportion::fisher_exact((3, 4), (1, 4))?;
/// assert!((p - 0.485_714_285_714).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn fisher_exact(first: (u64, u64), second: (u64, u64)) -> Result<f64, NotEstimable> {
    if first.0 > first.1 || second.0 > second.1 {
        return Err(NotEstimable::InvalidInput);
    }
    let successes = first.0.checked_add(second.0).ok_or(NotEstimable::InvalidInput)?;
    let total = first.1.checked_add(second.1).ok_or(NotEstimable::InvalidInput)?;
    if total > MOST_CASES {
        return Err(NotEstimable::InvalidInput);
    }
    Ok(Tables { first: first.1, second: second.1, successes }.p_value(first.0))
}

/// All tables with the same margins; one is named by the successes of the first group.
struct Tables {
    first: u64,
    second: u64,
    successes: u64,
}

impl Tables {
    fn p_value(&self, observed: u64) -> f64 {
        let (lowest, highest) =
            (self.successes.saturating_sub(self.second), self.successes.min(self.first));
        let mode = self.mode().clamp(lowest, highest);
        let mut weights = Vec::new();
        let mut weight = 1.0;
        for x in mode..=highest {
            weights.push((x, weight));
            weight *= self.ratio_up(x);
            if weight < NEGLIGIBLE {
                break;
            }
        }
        weight = 1.0;
        for x in (lowest..mode).rev() {
            weight /= self.ratio_up(x);
            if weight < NEGLIGIBLE {
                break;
            }
            weights.push((x, weight));
        }
        let of_observed = weights.iter().find(|(x, _)| *x == observed).map_or(0.0, |(_, w)| *w);
        let limit = of_observed * (1.0 + EQUAL);
        let sum = |kept: &dyn Fn(f64) -> bool| {
            weights.iter().map(|(_, w)| *w).filter(|w| kept(*w)).fold(0.0, |sum, w| sum + w)
        };
        (sum(&|w| w <= limit) / sum(&|_| true)).min(1.0)
    }

    /// The most probable table.
    fn mode(&self) -> u64 {
        let wide = u128::from;
        let peak = (wide(self.first) + 1) * (wide(self.successes) + 1)
            / (wide(self.first) + wide(self.second) + 2);
        u64::try_from(peak).unwrap_or(u64::MAX)
    }

    /// P(x + 1) / P(x); 0 at the highest table.
    fn ratio_up(&self, x: u64) -> f64 {
        let left = count_to_f64(self.successes - x) * count_to_f64(self.first - x);
        // Not below 0: x is at least `successes − second`.
        let rest = (self.second + x + 1).saturating_sub(self.successes);
        left / (count_to_f64(x + 1) * count_to_f64(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_possible_table_has_p_one() {
        for margins in [((0, 0), (3, 5)), ((0, 4), (0, 9)), ((4, 4), (9, 9))] {
            assert!((fisher_exact(margins.0, margins.1).unwrap() - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn exchanging_groups_or_outcomes_changes_nothing() {
        let p = fisher_exact((2, 15), (11, 20)).unwrap();
        for other in [((11, 20), (2, 15)), ((13, 15), (9, 20))] {
            assert!((fisher_exact(other.0, other.1).unwrap() - p).abs() < 1e-14);
        }
    }

    #[test]
    fn huge_tables_neither_overflow_nor_hang() {
        let p = fisher_exact((50_000, 1_000_000), (50_400, 1_000_000)).unwrap();
        assert!(p > 0.1 && p < 0.3, "{p}");
        assert!(fisher_exact((0, 1_000_000), (900_000, 1_000_000)).unwrap() < 1e-200);
        assert_eq!(fisher_exact((3, 2), (1, 2)), Err(NotEstimable::InvalidInput));
    }
}
