//! McNemar's test that two index tests are right equally often.

use super::PairedCounts;
use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::special::{beta, chi_square, saddle_point};

/// The test in its usual forms. `b` and `c` are the discordant cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// `(b − c)² / (b + c)`, one degree of freedom; [`NotEstimable::ZeroVariance`] without discordant
    /// cases.
    pub chi_square: Result<f64, NotEstimable>,
    /// Its p-value; 1 without discordant cases.
    pub p: f64,
    /// With the continuity correction, `max(0, |b − c| − 1)² / (b + c)`.
    pub chi_square_corrected: Result<f64, NotEstimable>,
    /// The exact two-sided p-value of b in Binomial(b + c, ½).
    pub exact_p: f64,
    /// The mid-p-value: the exact one less the probability of the observed split.
    pub mid_p: f64,
}

/// Tests that both index tests are right equally often.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases. Without discordant cases the p-values are 1.
///
/// # References
///
/// - Q. McNemar (1947). Psychometrika 12, 153–157.
/// - M. W. Fagerland, S. Lydersen, P. Laake (2013). BMC Med. Res. Methodol. 13, 91 (exact, mid-p).
///
/// # Examples
///
/// ```
/// use fedval_stats::paired::{PairedCounts, mcnemar};
///
/// let counts = PairedCounts { both: 60, only_first: 7, only_second: 1, neither: 12 };
/// let test = mcnemar(&counts)?;
/// assert!((test.exact_p - 0.070_312_5).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn mcnemar(counts: &PairedCounts) -> Result<McNemar, NotEstimable> {
    let (_, b, c) = counts.numbers()?;
    if b + c <= 0.0 {
        let none = Err(NotEstimable::ZeroVariance);
        return Ok(McNemar {
            chi_square: none,
            p: 1.0,
            chi_square_corrected: none,
            exact_p: 1.0,
            mid_p: 1.0,
        });
    }
    let chi_square = (b - c) * (b - c) / (b + c);
    let corrected = ((b - c).abs() - 1.0).max(0.0);
    let (fewer, more) = (b.min(c), b.max(c));
    let below = half_binomial_at_most(fewer, more);
    Ok(McNemar {
        chi_square: Ok(chi_square),
        p: chi_square::upper_tail(chi_square, 1.0),
        chi_square_corrected: Ok(corrected * corrected / (b + c)),
        exact_p: (2.0 * below).min(1.0),
        mid_p: (2.0 * below - half_binomial_at(fewer, more)).min(1.0),
    })
}

/// P(X ≤ x) for X ~ Binomial(x + rest, ½) and rest ≥ 1.
fn half_binomial_at_most(x: f64, rest: f64) -> f64 {
    beta::incomplete(rest, x + 1.0, 0.5, 0.5)
}

/// P(X = x).
fn half_binomial_at(x: f64, rest: f64) -> f64 {
    if x <= 0.0 {
        return libm::exp2(-rest);
    }
    saddle_point::binomial_density(x, rest, 0.5, 0.5)
}

impl PairedCounts {
    /// Cases on which the two disagree (saturating).
    #[must_use]
    pub fn discordant(&self) -> u64 {
        self.only_first.saturating_add(self.only_second)
    }

    /// The share of cases on which the two disagree.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without cases.
    pub fn discordance(&self) -> Result<f64, NotEstimable> {
        let (n, ..) = self.numbers()?;
        Ok(count_to_f64(self.discordant()) / n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(only_first: u64, only_second: u64) -> PairedCounts {
        PairedCounts { both: 3, only_first, only_second, neither: 0 }
    }

    #[test]
    fn no_discordant_case_is_no_evidence() {
        let test = mcnemar(&counts(0, 0)).unwrap();
        assert_eq!(test.chi_square, Err(NotEstimable::ZeroVariance));
        assert!((test.p - 1.0).abs() < 1e-15 && (test.mid_p - 1.0).abs() < 1e-15);
    }

    #[test]
    fn all_on_one_side_is_twice_a_power_of_a_half() {
        let test = mcnemar(&counts(10, 0)).unwrap();
        assert!((test.exact_p - 2.0 / 1024.0).abs() < 1e-15);
        assert!((test.mid_p - 1.0 / 1024.0).abs() < 1e-15);
    }

    #[test]
    fn an_even_split_has_p_one() {
        let test = mcnemar(&counts(4, 4)).unwrap();
        assert!((test.exact_p - 1.0).abs() < 1e-15 && (test.p - 1.0).abs() < 1e-15);
    }
}
