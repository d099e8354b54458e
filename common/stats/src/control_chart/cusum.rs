//! Cumulative sums.

use super::{Baseline, all_finite, first_signal};
use crate::NotEstimable;
use crate::count::count_to_f64;

/// Shewhart's rule signals beyond so many standard deviations.
const SHEWHART: f64 = 3.0;

/// Two one-sided cumulative sums, in standard deviations.
#[derive(Debug, Clone, PartialEq)]
pub struct Cusum {
    /// After each round, how far the number has risen.
    pub above: Vec<f64>,
    /// After each round, how far it has fallen; not negative.
    pub below: Vec<f64>,
    /// The first round at which one of them exceeds the decision interval.
    pub first_signal: Option<usize>,
}

/// The tabular CUSUM: with z the standardised number,
/// `above ← max(0, above + z − k)` and `below ← max(0, below − z − k)`.
///
/// `k` is half the shift to be noticed, `h` the decision interval, both in standard deviations; ½ and 5
/// are usual.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where a number is not finite or k or h is negative.
///
/// # References
///
/// - E. S. Page (1954). Biometrika 41, 100–115.
/// - D. C. Montgomery (2013). Introduction to Statistical Quality Control, 7th ed., section 9.1.
///
/// # Examples
///
/// ```
/// use fedval_stats::control_chart::{Baseline, cusum};
///
/// let chart = cusum(&[0.85, 0.80, 0.78, 0.79], &Baseline::new(0.85, 0.02)?, 0.5, 5.0)?;
/// assert_eq!(chart.first_signal, Some(4));
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn cusum(series: &[f64], baseline: &Baseline, k: f64, h: f64) -> Result<Cusum, NotEstimable> {
    let is_size = |x: f64| x.is_finite() && x >= 0.0;
    if !is_size(k) || !is_size(h) {
        return Err(NotEstimable::InvalidInput);
    }
    let standardised = baseline.standardised(series)?;
    let above = sums(standardised.iter().map(|z| z - k));
    let below = sums(standardised.iter().map(|z| -z - k));
    all_finite(above.iter().chain(&below))?;
    let first_signal = first_signal(above.iter().zip(&below).map(|(a, b)| *a > h || *b > h));
    Ok(Cusum { above, below, first_signal })
}

/// The first round that lies more than three standard deviations from the centre.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where a number is not finite.
///
/// # References
///
/// - W. A. Shewhart (1931). Economic Control of Quality of Manufactured Product.
///
/// # Examples
///
/// ```
/// use fedval_stats::control_chart::{Baseline, shewhart_signal};
///
/// // 0.78 lies 3.5 standard deviations below the centre.
/// let signal = shewhart_signal(&[0.85, 0.80, 0.78, 0.79], &Baseline::new(0.85, 0.02)?)?;
/// assert_eq!(signal, Some(3));
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn shewhart_signal(series: &[f64], baseline: &Baseline) -> Result<Option<usize>, NotEstimable> {
    let standardised = baseline.standardised(series)?;
    Ok(first_signal(standardised.iter().map(|z| z.abs() > SHEWHART)))
}

/// The CUSUM of the log-likelihood ratio that x of n cases have probability `shifted` rather than
/// `usual`, after each round: `C ← max(0, C + x ln(p₁/p₀) + (n − x) ln((1 − p₁)/(1 − p₀)))`.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] unless both probabilities lie strictly between 0 and 1 and no x exceeds
/// its n.
///
/// # References
///
/// - S. H. Steiner, R. J. Cook, V. T. Farewell, T. Treasure (2000). Biostatistics 1, 441–452.
///
/// # Examples
///
/// ```
/// // Has a sensitivity of 0.9 fallen to 0.8? A hit adds ln(8/9), which is negative, a miss ln 2.
/// let rounds = [(10, 10), (7, 10)];
/// let sums = fedval_stats::control_chart::log_likelihood_cusum(&rounds, 0.9, 0.8)?;
/// assert!(sums[0].abs() < 1e-15 && (sums[1] - 1.254_960_3).abs() < 1e-7);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn log_likelihood_cusum(
    rounds: &[(u64, u64)],
    usual: f64,
    shifted: f64,
) -> Result<Vec<f64>, NotEstimable> {
    let is_inside = |p: f64| p > 0.0 && p < 1.0;
    if !is_inside(usual) || !is_inside(shifted) || rounds.iter().any(|(x, n)| x > n) {
        return Err(NotEstimable::InvalidInput);
    }
    let event = libm::log(shifted) - libm::log(usual);
    let none = libm::log1p(-shifted) - libm::log1p(-usual);
    Ok(sums(rounds.iter().map(|(x, n)| count_to_f64(*x) * event + count_to_f64(n - x) * none)))
}

/// Sums that never fall below 0.
fn sums(steps: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = 0.0_f64;
    steps
        .map(|step| {
            sum = (sum + step).max(0.0);
            sum
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_and_a_fall_show_on_their_own_sides() {
        let baseline = Baseline::new(0.0, 1.0).unwrap();
        let chart = cusum(&[2.0, -4.0], &baseline, 0.5, 3.0).unwrap();
        assert!((chart.above[0] - 1.5).abs() < 1e-15 && chart.below[0].abs() < 1e-15);
        assert!(chart.above[1].abs() < 1e-15 && (chart.below[1] - 3.5).abs() < 1e-15);
        assert_eq!(chart.first_signal, Some(2));
        assert_eq!(shewhart_signal(&[2.0, -4.0], &baseline), Ok(Some(2)));
    }

    #[test]
    fn what_is_no_baseline_and_no_number_is_refused() {
        assert_eq!(Baseline::new(1.0, 0.0), Err(NotEstimable::ZeroVariance));
        let baseline = Baseline::new(0.0, 1.0).unwrap();
        assert_eq!(cusum(&[f64::NAN], &baseline, 0.5, 5.0), Err(NotEstimable::InvalidInput));
        assert_eq!(log_likelihood_cusum(&[(3, 2)], 0.5, 0.4), Err(NotEstimable::InvalidInput));
        assert_eq!(log_likelihood_cusum(&[(1, 2)], 1.0, 0.4), Err(NotEstimable::InvalidInput));
    }
}
