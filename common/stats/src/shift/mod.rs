//! Shift between two distributions, from their counts in the same bins.
//!
//! A [`Pair`] holds counts of a reference and of what is looked at now. Shares are counts over totals,
//! p of the reference and q of now.
//!
//! | function | what | range |
//! | --- | --- | --- |
//! | [`population_stability_index`] | `Σ (q − p) ln(q/p)`, shares floored | 0 to ∞ |
//! | [`jensen_shannon_distance`] | `√` of the divergence in bits | 0 to 1 |
//! | [`kolmogorov_smirnov`] | largest difference of distribution functions at edges | 0 to 1 |
//! | [`wasserstein`] | area between them, in the unit of the edges | 0 to the range |
//! | [`chi_square`] | test that both are one | |
//! | [`hellinger`], [`total_variation`] | distances | 0 to 1 |

mod distance;
mod divergence;
mod test;

pub use distance::{hellinger, total_variation, wasserstein};
pub use divergence::{jensen_shannon_distance, population_stability_index};
pub use test::{ChiSquare, KolmogorovSmirnov, chi_square, kolmogorov_smirnov};

use crate::NotEstimable;
use crate::count::count_to_f64;

/// Counts in the same bins, at least one of each distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    reference: Vec<u64>,
    current: Vec<u64>,
}

impl Pair {
    /// Pairs the counts of a reference with those of now.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] for different numbers of bins, [`NotEstimable::EmptyInput`] where a
    /// distribution has no count.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::shift::{Pair, total_variation};
    ///
    /// let pair = Pair::new(vec![50, 50], vec![25, 75])?;
    /// assert!((total_variation(&pair) - 0.25).abs() < 1e-15);
    /// # Ok::<(), fedval_stats::NotEstimable>(())
    /// ```
    pub fn new(reference: Vec<u64>, current: Vec<u64>) -> Result<Self, NotEstimable> {
        if reference.len() != current.len() {
            return Err(NotEstimable::InvalidInput);
        }
        let has_any = |counts: &[u64]| counts.iter().any(|count| *count > 0);
        if has_any(&reference) && has_any(&current) {
            Ok(Self { reference, current })
        } else {
            Err(NotEstimable::EmptyInput)
        }
    }

    /// Total counts of the reference and of now.
    fn totals(&self) -> (f64, f64) {
        (total(&self.reference), total(&self.current))
    }

    /// The shares of each bin, `(p, q)`.
    fn shares(&self) -> Vec<(f64, f64)> {
        let (n, m) = self.totals();
        let counts = self.reference.iter().zip(&self.current);
        counts.map(|(r, c)| (count_to_f64(*r) / n, count_to_f64(*c) / m)).collect()
    }

    /// The difference of the distribution functions after each bin.
    fn steps(&self) -> Vec<f64> {
        let mut both = (0.0, 0.0);
        let add = |(p, q): (f64, f64)| {
            both = (both.0 + p, both.1 + q);
            both.0 - both.1
        };
        self.shares().into_iter().map(add).collect()
    }
}

fn total(counts: &[u64]) -> f64 {
    counts.iter().fold(0.0, |sum, count| sum + count_to_f64(*count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_distribution_is_not_shifted() {
        let pair = Pair::new(vec![3, 0, 5], vec![6, 0, 10]).unwrap();
        assert!(population_stability_index(&pair, 1e-4).unwrap().abs() < 1e-15);
        assert!(jensen_shannon_distance(&pair).abs() < 1e-7);
        assert!(hellinger(&pair).abs() < 1e-7 && total_variation(&pair).abs() < 1e-15);
        assert!((kolmogorov_smirnov(&pair).p - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_shares_nothing_is_as_far_apart_as_can_be() {
        let pair = Pair::new(vec![4, 0], vec![0, 9]).unwrap();
        for distance in [hellinger(&pair), total_variation(&pair), jensen_shannon_distance(&pair)] {
            assert!((distance - 1.0).abs() < 1e-12);
        }
        assert!((kolmogorov_smirnov(&pair).statistic - 1.0).abs() < 1e-15);
    }

    #[test]
    fn nothing_cannot_be_compared() {
        assert_eq!(Pair::new(vec![0, 0], vec![1, 2]), Err(NotEstimable::EmptyInput));
        assert_eq!(Pair::new(vec![1], vec![1, 2]), Err(NotEstimable::InvalidInput));
    }
}
