//! Distances of two distributions.

use super::Pair;
use crate::NotEstimable;
use crate::aggregate::Edges;
use crate::pairwise::pairwise_sum;

/// The Hellinger distance `√(1 − Σ √(pq))`, from 0 to 1.
#[must_use]
pub fn hellinger(pair: &Pair) -> f64 {
    let common: Vec<f64> = pair.shares().into_iter().map(|(p, q)| libm::sqrt(p * q)).collect();
    // Near 0 the root magnifies the last bit of the sum.
    let common = pairwise_sum(&common);
    libm::sqrt((1.0 - common).max(0.0))
}

/// Half the sum of the absolute differences, from 0 to 1.
#[must_use]
pub fn total_variation(pair: &Pair) -> f64 {
    pair.shares().into_iter().fold(0.0, |sum, (p, q)| sum + (p - q).abs()) / 2.0
}

/// The first Wasserstein distance of the binned distributions, `Σ |P − Q| · width`, in the unit of the
/// edges.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where there are not as many bins as counts.
pub fn wasserstein(pair: &Pair, edges: &Edges) -> Result<f64, NotEstimable> {
    let steps = pair.steps();
    if steps.len() != edges.bins() {
        return Err(NotEstimable::InvalidInput);
    }
    let widths = edges.as_slice().windows(2).map(|edge| edge[1] - edge[0]);
    Ok(steps.iter().zip(widths).fold(0.0, |sum, (step, width)| sum + step.abs() * width))
}
