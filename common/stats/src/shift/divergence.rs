//! Divergences of two distributions.

use super::Pair;
use crate::NotEstimable;
use crate::count::finite;
use crate::pairwise::pairwise_sum;

/// The population stability index `Σ (q − p) ln(q/p)`, with every share raised to `floor` where it is
/// below, and not rescaled: an empty bin would make it infinite.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] unless `0 <= floor <= 1`, or where a floor near 0 makes it infinite; where the floor is 0 [`NotEstimable::EmptyInput`]
/// for a bin that is empty in both, [`NotEstimable::EmptyErrorCell`] for one that is empty in one.
///
/// # References
///
/// - B. Yurdakul, J. Naranjo (2020). J. Risk Model Validation 14(4), 89–100.
///
/// # Examples
///
/// ```
/// use fedval_stats::shift::{Pair, population_stability_index};
///
/// // −0.25 ln(0.25/0.5) + 0.25 ln(0.75/0.5) = ¼ ln 3.
/// let pair = Pair::new(vec![50, 50], vec![25, 75])?;
/// assert!((population_stability_index(&pair, 1e-4)? - 0.274_653_1).abs() < 1e-7);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn population_stability_index(pair: &Pair, floor: f64) -> Result<f64, NotEstimable> {
    if !(0.0..=1.0).contains(&floor) {
        return Err(NotEstimable::InvalidInput);
    }
    let floored = pair.shares().into_iter().map(|(p, q)| (p.max(floor), q.max(floor)));
    if floored.clone().any(|(p, q)| p <= 0.0 && q <= 0.0) {
        return Err(NotEstimable::EmptyInput);
    }
    if floored.clone().any(|(p, q)| p <= 0.0 || q <= 0.0) {
        return Err(NotEstimable::EmptyErrorCell);
    }
    finite(floored.fold(0.0, |sum, (p, q)| sum + (q - p) * libm::log(q / p)))
}

/// The square root of the Jensen–Shannon divergence in bits: a metric, from 0 to 1.
///
/// # References
///
/// - D. M. Endres, J. E. Schindelin (2003). IEEE Trans. Inf. Theory 49, 1858–1860.
///
/// # Examples
///
/// ```
/// use fedval_stats::shift::{Pair, jensen_shannon_distance};
///
/// // Half of each lies where the other has nothing: half a bit.
/// let pair = Pair::new(vec![5, 5, 0], vec![0, 5, 5])?;
/// let distance = jensen_shannon_distance(&pair);
/// assert!((distance * distance - 0.5).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
#[must_use]
pub fn jensen_shannon_distance(pair: &Pair) -> f64 {
    let (p, q): (Vec<f64>, Vec<f64>) = pair.shares().into_iter().unzip();
    // As SciPy adds: near 0 the root magnifies the last bit.
    let (whole_p, whole_q) = (pairwise_sum(&p), pairwise_sum(&q));
    let shares = || p.iter().zip(&q).map(|(p, q)| (p / whole_p, q / whole_q));
    let from_middle = |x: f64, (p, q): (f64, f64)| relative_entropy(x, f64::midpoint(p, q));
    let left: Vec<f64> = shares().map(|both| from_middle(both.0, both)).collect();
    let right: Vec<f64> = shares().map(|both| from_middle(both.1, both)).collect();
    let bits = (pairwise_sum(&left) + pairwise_sum(&right)) / std::f64::consts::LN_2;
    libm::sqrt((bits / 2.0).max(0.0))
}

/// `x ln(x/y)`, without cancellation where both are close.
fn relative_entropy(x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let ratio = x / y;
    if ratio > 0.5 && ratio < 2.0 { x * libm::log1p((x - y) / y) } else { x * libm::log(ratio) }
}
