//! Two-by-two matrices and the cluster-robust covariance.

use std::collections::BTreeMap;

use crate::NotEstimable;
use crate::count::len_to_f64;

/// A symmetric two-by-two matrix.
pub(super) type Matrix = [[f64; 2]; 2];

/// The inverse, or `None` where the matrix is not safely positive definite.
pub(super) fn inverse(matrix: &Matrix) -> Option<Matrix> {
    let [[a, b], [_, d]] = *matrix;
    let determinant = a * d - b * b;
    // Below this share the determinant is rounding noise.
    let definite = a > 0.0 && d > 0.0 && determinant > 1e-14 * a * d;
    definite.then(|| {
        let off = -b / determinant;
        [[d / determinant, off], [off, a / determinant]]
    })
}

/// The sandwich `G/(G − 1) · A⁻¹ (Σ_g u_g u_g') A⁻¹`, with u_g the score of cluster g.
///
/// # Errors
///
/// [`NotEstimable::TooFewClusters`] for fewer than two clusters.
///
/// # References
///
/// - K.-Y. Liang, S. L. Zeger (1986). Biometrika 73, 13–22.
pub(super) fn robust(
    bread: &Matrix,
    scores: impl Iterator<Item = (u32, [f64; 2])>,
) -> Result<Matrix, NotEstimable> {
    let mut clusters: BTreeMap<u32, [f64; 2]> = BTreeMap::new();
    for (cluster, score) in scores {
        let total = clusters.entry(cluster).or_default();
        total[0] += score[0];
        total[1] += score[1];
    }
    let factor = small_sample(clusters.len())?;
    let mut meat = [[0.0; 2]; 2];
    for score in clusters.values() {
        for (row, left) in meat.iter_mut().zip(score) {
            for (cell, right) in row.iter_mut().zip(score) {
                *cell += left * right;
            }
        }
    }
    let mut covariance = product(&product(bread, &meat), bread);
    for cell in covariance.iter_mut().flatten() {
        *cell *= factor;
    }
    // Symmetric by algebra; made so by hand because rounding differs between the two corners.
    covariance[1][0] = covariance[0][1];
    Ok(covariance)
}

/// `G / (G − 1)` for G clusters.
///
/// # Errors
///
/// [`NotEstimable::TooFewClusters`] for fewer than two.
pub(super) fn small_sample(clusters: usize) -> Result<f64, NotEstimable> {
    if clusters < 2 {
        return Err(NotEstimable::TooFewClusters);
    }
    Ok(len_to_f64(clusters) / len_to_f64(clusters - 1))
}

fn product(left: &Matrix, right: &Matrix) -> Matrix {
    let cell = |i: usize, j: usize| left[i][0] * right[0][j] + left[i][1] * right[1][j];
    [[cell(0, 0), cell(0, 1)], [cell(1, 0), cell(1, 1)]]
}
