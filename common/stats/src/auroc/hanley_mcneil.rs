//! Hanley and McNeil's standard error of the AUROC.

use crate::NotEstimable;
use crate::count::count_to_f64;

/// The standard error from the area and the class sizes alone, on the probability scale:
///
/// ```text
/// Q1 = A / (2 − A),   Q2 = 2A² / (1 + A)
/// se² = (A(1 − A) + (n_pos − 1)(Q1 − A²) + (n_neg − 1)(Q2 − A²)) / (n_pos n_neg)
/// ```
///
/// It assumes exponential score distributions: DeLong's error is preferred where its sums exist.
///
/// # Errors
///
/// [`NotEstimable::OneClassOnly`] where a class is empty, [`NotEstimable::InvalidInput`] where
/// `auc` lies outside [0, 1].
///
/// # References
///
/// - J. A. Hanley, B. J. McNeil (1982). Radiology 143, 29–36, eq. 2.
///
/// # Examples
///
/// ```
/// let se = fedval_stats::auroc::hanley_mcneil_se(0.8, 50, 50)?;
/// assert!((se - 0.0445).abs() < 1e-4);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn hanley_mcneil_se(auc: f64, n_pos: u64, n_neg: u64) -> Result<f64, NotEstimable> {
    if n_pos == 0 || n_neg == 0 {
        return Err(NotEstimable::OneClassOnly);
    }
    if !(0.0..=1.0).contains(&auc) {
        return Err(NotEstimable::InvalidInput);
    }
    let (m, n) = (count_to_f64(n_pos), count_to_f64(n_neg));
    let squared = auc * auc;
    let q1 = auc / (2.0 - auc);
    let q2 = 2.0 * squared / (1.0 + auc);
    let sum = auc * (1.0 - auc) + (m - 1.0) * (q1 - squared) + (n - 1.0) * (q2 - squared);
    // Rounding may leave a negative zero's worth at an area of 1.
    Ok(libm::sqrt(sum.max(0.0) / (m * n)))
}
