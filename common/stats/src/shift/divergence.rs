//! Divergences of two distributions.

use super::Pair;
use crate::NotEstimable;

/// The population stability index `Σ (q − p) ln(q/p)`, with every share raised to `floor` where it is
/// below, and not rescaled: an empty bin would make it infinite.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] unless `0 < floor <= 1`.
///
/// # References
///
/// - B. Yurdakul, J. Naranjo (2020). J. Risk Model Validation 14(4), 89–100.
pub fn population_stability_index(pair: &Pair, floor: f64) -> Result<f64, NotEstimable> {
    if !(floor > 0.0 && floor <= 1.0) {
        return Err(NotEstimable::InvalidInput);
    }
    let floored = pair.shares().into_iter().map(|(p, q)| (p.max(floor), q.max(floor)));
    Ok(floored.fold(0.0, |sum, (p, q)| sum + (q - p) * libm::log(q / p)))
}

/// The square root of the Jensen–Shannon divergence in bits: a metric, from 0 to 1.
///
/// # References
///
/// - D. M. Endres, J. E. Schindelin (2003). IEEE Trans. Inf. Theory 49, 1858–1860.
#[must_use]
pub fn jensen_shannon_distance(pair: &Pair) -> f64 {
    let part = |x: f64, middle: f64| if x > 0.0 { x * libm::log(x / middle) } else { 0.0 };
    let nats = pair.shares().into_iter().fold(0.0, |sum, (p, q)| {
        let middle = f64::midpoint(p, q);
        sum + part(p, middle) + part(q, middle)
    });
    libm::sqrt((nats / 2.0 / std::f64::consts::LN_2).max(0.0))
}
