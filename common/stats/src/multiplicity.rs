//! Adjusting p-values for many comparisons.
//!
//! [`holm`] controls the probability of any false finding and is what confirmatory subgroup tests use;
//! [`benjamini_hochberg`] controls the share of false findings and is for exploration. [`bonferroni`] and
//! [`hochberg`] are kept for comparison. Every function gives the adjusted p-values in the order of the
//! input, and an empty list for an empty one.
//!
//! # References
//!
//! - S. Holm (1979). Scand. J. Stat. 6, 65–70.
//! - Y. Hochberg (1988). Biometrika 75, 800–802.
//! - Y. Benjamini, Y. Hochberg (1995). J. R. Stat. Soc. B 57, 289–300.

use crate::NotEstimable;
use crate::count::len_to_f64;

/// Each p-value times their number.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where a number is not a probability.
///
/// # Examples
///
/// ```
/// let adjusted = fedval_stats::multiplicity::bonferroni(&[0.01, 0.04, 0.03])?;
/// let expected = [0.03, 0.12, 0.09];
/// assert!(adjusted.iter().zip(expected).all(|(got, want)| (got - want).abs() < 1e-15));
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn bonferroni(p: &[f64]) -> Result<Vec<f64>, NotEstimable> {
    check(p)?;
    Ok(p.iter().map(|value| (value * len_to_f64(p.len())).min(1.0)).collect())
}

/// Holm's step-down: the i-th smallest of m times m − i + 1, never below a smaller one's.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where a number is not a probability.
///
/// # Examples
///
/// ```
/// let adjusted = fedval_stats::multiplicity::holm(&[0.01, 0.04, 0.03])?;
/// let expected = [0.03, 0.06, 0.06];
/// assert!(adjusted.iter().zip(expected).all(|(got, want)| (got - want).abs() < 1e-15));
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn holm(p: &[f64]) -> Result<Vec<f64>, NotEstimable> {
    check(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut highest = 0.0_f64;
    for (place, index) in ascending(p).into_iter().enumerate() {
        highest = highest.max(p[index] * len_to_f64(p.len() - place)).min(1.0);
        adjusted[index] = highest;
    }
    Ok(adjusted)
}

/// Hochberg's step-up with the factors of [`holm`].
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where a number is not a probability.
///
/// # Examples
///
/// ```
/// let adjusted = fedval_stats::multiplicity::hochberg(&[0.01, 0.04, 0.03])?;
/// let expected = [0.03, 0.04, 0.04];
/// assert!(adjusted.iter().zip(expected).all(|(got, want)| (got - want).abs() < 1e-15));
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn hochberg(p: &[f64]) -> Result<Vec<f64>, NotEstimable> {
    step_up(p, |place| len_to_f64(p.len() - place))
}

/// Benjamini and Hochberg's step-up: the i-th smallest of m times m / i, never above a larger one's.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where a number is not a probability.
///
/// # Examples
///
/// ```
/// let adjusted = fedval_stats::multiplicity::benjamini_hochberg(&[0.01, 0.04, 0.02])?;
/// let expected = [0.03, 0.04, 0.03];
/// assert!(adjusted.iter().zip(expected).all(|(got, want)| (got - want).abs() < 1e-15));
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn benjamini_hochberg(p: &[f64]) -> Result<Vec<f64>, NotEstimable> {
    step_up(p, |place| len_to_f64(p.len()) / len_to_f64(place + 1))
}

fn step_up(p: &[f64], factor: impl Fn(usize) -> f64) -> Result<Vec<f64>, NotEstimable> {
    check(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut lowest = 1.0_f64;
    for (place, index) in ascending(p).into_iter().enumerate().rev() {
        lowest = lowest.min(p[index] * factor(place));
        adjusted[index] = lowest;
    }
    Ok(adjusted)
}

fn check(p: &[f64]) -> Result<(), NotEstimable> {
    let all = p.iter().all(|p| (0.0..=1.0).contains(p));
    if all { Ok(()) } else { Err(NotEstimable::InvalidInput) }
}

/// Positions from the smallest to the largest.
fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_nothing_and_one_stays_itself() {
        for adjust in [bonferroni, holm, hochberg, benjamini_hochberg] {
            assert_eq!(adjust(&[]), Ok(vec![]));
            assert!((adjust(&[0.2]).unwrap()[0] - 0.2).abs() < 1e-15);
            assert_eq!(adjust(&[0.2, f64::NAN]), Err(NotEstimable::InvalidInput));
            assert_eq!(adjust(&[1.5]), Err(NotEstimable::InvalidInput));
        }
    }

    #[test]
    fn adjusted_values_keep_the_order_of_the_input_and_stay_probabilities() {
        let p = [0.9, 0.001, 0.5, 0.001];
        for adjust in [bonferroni, holm, hochberg, benjamini_hochberg] {
            let adjusted = adjust(&p).unwrap();
            assert!(adjusted.iter().zip(p).all(|(got, p)| *got >= p && *got <= 1.0));
            assert!(adjusted[1] <= adjusted[2] && adjusted[2] <= adjusted[0]);
        }
    }
}
