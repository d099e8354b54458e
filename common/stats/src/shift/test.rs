//! Tests that two distributions are one.

use super::Pair;
use crate::NotEstimable;
use crate::count::{count_to_f64, len_to_f64};
use crate::special;

/// Kolmogorov and Smirnov's test on binned values: its statistic is at most that of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KolmogorovSmirnov {
    /// The largest difference of the distribution functions at the edges.
    pub statistic: f64,
    /// Its asymptotic p-value.
    pub p: f64,
}

/// Kolmogorov and Smirnov's test.
///
/// # References
///
/// - N. Smirnov (1948). Ann. Math. Stat. 19, 279–281.
///
/// # Examples
///
/// ```
/// use fedval_stats::shift::{Pair, kolmogorov_smirnov};
///
/// let test = kolmogorov_smirnov(&Pair::new(vec![50, 50], vec![25, 75])?);
/// assert!((test.statistic - 0.25).abs() < 1e-15 && (test.p - 0.003_861).abs() < 1e-6);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
#[must_use]
pub fn kolmogorov_smirnov(pair: &Pair) -> KolmogorovSmirnov {
    let (n, m) = pair.totals();
    let statistic = pair.steps().iter().fold(0.0, |largest: f64, step| largest.max(step.abs()));
    let p = special::kolmogorov::upper_tail(statistic * libm::sqrt(n * m / (n + m)));
    KolmogorovSmirnov { statistic, p }
}

/// Pearson's test without continuity correction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquare {
    /// The statistic.
    pub statistic: f64,
    /// Its degrees of freedom: bins that hold anything, less one.
    pub df: usize,
    /// Its p-value.
    pub p: f64,
}

/// Pearson's test that both are one distribution; bins that are empty in both are left out.
///
/// # Errors
///
/// [`NotEstimable::ConstantScore`] where a single bin holds everything.
///
/// # Examples
///
/// ```
/// use fedval_stats::shift::{Pair, chi_square};
///
/// // 15 are expected in every cell: 4 · 5² / 15.
/// let test = chi_square(&Pair::new(vec![10, 20], vec![20, 10])?)?;
/// assert!((test.statistic - 20.0 / 3.0).abs() < 1e-12 && test.df == 1);
/// assert!((test.p - 0.009_823).abs() < 1e-6);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn chi_square(pair: &Pair) -> Result<ChiSquare, NotEstimable> {
    let (n, m) = pair.totals();
    let counts = pair.reference.iter().zip(&pair.current);
    let filled: Vec<(f64, f64)> = counts
        .map(|(r, c)| (count_to_f64(*r), count_to_f64(*c)))
        .filter(|(r, c)| r + c > 0.0)
        .collect();
    if filled.len() < 2 {
        return Err(NotEstimable::ConstantScore);
    }
    let deviation = |count: f64, expected: f64| (count - expected) * (count - expected) / expected;
    let statistic = filled.iter().fold(0.0, |sum, (r, c)| {
        let both = r + c;
        sum + deviation(*r, both * n / (n + m)) + deviation(*c, both * m / (n + m))
    });
    let df = filled.len() - 1;
    Ok(ChiSquare { statistic, df, p: special::chi_square::upper_tail(statistic, len_to_f64(df)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bin_cannot_be_tested() {
        let pair = Pair::new(vec![3, 0], vec![5, 0]).unwrap();
        assert_eq!(chi_square(&pair), Err(NotEstimable::ConstantScore));
    }

    #[test]
    fn the_statistic_is_that_of_the_table() {
        let test = chi_square(&Pair::new(vec![10, 20], vec![20, 10]).unwrap()).unwrap();
        assert!((test.statistic - 20.0 / 3.0).abs() < 1e-13 && test.df == 1);
    }
}
