//! Distances of two distributions.

use super::Pair;
use crate::NotEstimable;
use crate::aggregate::Edges;
use crate::pairwise::pairwise_sum;

/// The Hellinger distance `√(1 − Σ √(pq))`, from 0 to 1.
///
/// # Examples
///
/// ```
/// use fedval_stats::shift::{Pair, hellinger};
///
/// // √(1 − 2 √(0.36 · 0.64)) = √(1 − 0.96).
/// let pair = Pair::new(vec![36, 64], vec![64, 36])?;
/// assert!((hellinger(&pair) - 0.2).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
#[must_use]
pub fn hellinger(pair: &Pair) -> f64 {
    let common: Vec<f64> = pair.shares().into_iter().map(|(p, q)| libm::sqrt(p * q)).collect();
    // Near 0 the root magnifies the last bit of the sum.
    let common = pairwise_sum(&common);
    libm::sqrt((1.0 - common).max(0.0))
}

/// Half the sum of the absolute differences, from 0 to 1.
///
/// # Examples
///
/// ```
/// use fedval_stats::shift::{Pair, total_variation};
///
/// // (|0.2 − 0.5| + |0.3 − 0.3| + |0.5 − 0.2|) / 2.
/// let pair = Pair::new(vec![20, 30, 50], vec![50, 30, 20])?;
/// assert!((total_variation(&pair) - 0.3).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
#[must_use]
pub fn total_variation(pair: &Pair) -> f64 {
    pair.shares().into_iter().fold(0.0, |sum, (p, q)| sum + (p - q).abs()).min(2.0) / 2.0
}

/// The first Wasserstein distance of the binned distributions, `Σ |P − Q| · width`, in the unit of the
/// edges: what a bin holds lies at its lower edge.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where there are not as many bins as counts.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::Edges;
/// use fedval_stats::shift::{Pair, wasserstein};
///
/// // A share of 0.3 has moved by two bins of 10.
/// let pair = Pair::new(vec![20, 30, 50], vec![50, 30, 20])?;
/// let edges = Edges::new(vec![0.0, 10.0, 20.0, 30.0])?;
/// assert!((wasserstein(&pair, &edges)? - 6.0).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn wasserstein(pair: &Pair, edges: &Edges) -> Result<f64, NotEstimable> {
    let steps = pair.steps();
    if steps.len() != edges.bins() {
        return Err(NotEstimable::InvalidInput);
    }
    let widths = edges.as_slice().windows(2).map(|edge| edge[1] - edge[0]);
    Ok(steps.iter().zip(widths).fold(0.0, |sum, (step, width)| sum + step.abs() * width))
}
