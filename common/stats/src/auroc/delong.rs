//! DeLong's variance of the AUROC, from integer sums.
//!
//! With the placements `V10_i = d_i / 2n_neg` and `V01_j = e_j / 2n_pos`,
//!
//! ```text
//! A = Σ d_i / (2 n_pos n_neg)
//! S10 = Σ (V10_i − A)² / (n_pos − 1),   S01 = Σ (V01_j − A)² / (n_neg − 1)
//! var(A) = S10 / n_pos + S01 / n_neg
//! ```
//!
//! The sums of squared deviations are formed as integers, `n·Σd² − (Σd)²`, and rounded once.
//!
//! # References
//!
//! - E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson (1988). Biometrics 44, 837–845, eq. 5–7.

use super::Auroc;
use crate::NotEstimable;
use crate::aggregate::RankSums;
use crate::count::count_to_f64;
use crate::wide::Wide;

/// The area under the ROC curve, `2U / (2 n_pos n_neg)`, on the probability scale.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases, [`NotEstimable::OneClassOnly`] with one class,
/// [`NotEstimable::InvalidInput`] where `sums` fail [`RankSums::check`].
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::RankSums;
/// use fedval_stats::auroc::auc_of;
///
/// let sums = RankSums { n_pos: 2, n_neg: 1, doubled_u: 2, pos_squares: 4, neg_squares: 4 };
/// assert!((auc_of(&sums)? - 0.5).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn auc_of(sums: &RankSums) -> Result<f64, NotEstimable> {
    if sums.n_pos == 0 && sums.n_neg == 0 {
        return Err(NotEstimable::EmptyInput);
    }
    if sums.n_pos == 0 || sums.n_neg == 0 {
        return Err(NotEstimable::OneClassOnly);
    }
    sums.check().map_err(|_| NotEstimable::InvalidInput)?;
    let pairs = 2.0 * count_to_f64(sums.n_pos) * count_to_f64(sums.n_neg);
    Ok(count_to_f64(sums.doubled_u) / pairs)
}

/// DeLong's estimate of the area and its variance for independent cases.
///
/// A perfect area (0 or 1) has variance 0 here, as the formula says; the intervals refuse it.
///
/// # Errors
///
/// Those of [`auc_of`], and [`NotEstimable::TooFewPerClass`] where a class has one case.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::{RankedCase, rank_sums};
/// use fedval_stats::auroc::delong;
///
/// let cases: Vec<_> = [(0.9, true), (0.4, true), (0.6, false), (0.1, false)]
///     .into_iter()
///     .zip(0..)
///     .map(|((score, positive), cluster): ((f64, bool), u32)| RankedCase {
///         rank_key: (score * 10.0) as i64,
///         positive,
///         cluster,
///     })
///     .collect();
/// let auroc = delong(&rank_sums(&cases).0)?;
/// assert!((auroc.auc - 0.75).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn delong(sums: &RankSums) -> Result<Auroc, NotEstimable> {
    let auc = auc_of(sums)?;
    let s10 = positive_component(sums)?;
    let s01 = negative_component(sums)?;
    let variance = s10 / count_to_f64(sums.n_pos) + s01 / count_to_f64(sums.n_neg);
    Ok(Auroc { auc, s10, s01, s11: None, variance, se: libm::sqrt(variance) })
}

/// S10, the sample variance of the positives' placements.
///
/// Exists apart from [`delong`] because one class may have a single case while the component of
/// the other class is still defined.
///
/// # Errors
///
/// Those of [`auc_of`], and [`NotEstimable::TooFewPerClass`] with one positive case.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::delong_sums;
/// use fedval_stats::auroc::positive_component;
///
/// // One positive outranks the only negative, one does not: placements 1 and 0.
/// let sums = delong_sums(&[0.9, 0.4, 0.6], &[true, true, false])?;
/// assert!((positive_component(&sums)? - 0.5).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn positive_component(sums: &RankSums) -> Result<f64, NotEstimable> {
    auc_of(sums)?;
    placement_variance(sums.pos_squares, sums.doubled_u, sums.n_pos, sums.n_neg)
}

/// S01, the sample variance of the negatives' placements; see [`positive_component`].
///
/// # Errors
///
/// Those of [`auc_of`], and [`NotEstimable::TooFewPerClass`] with one negative case.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::delong_sums;
/// use fedval_stats::auroc::negative_component;
///
/// // The only positive outranks one negative, and not the other: placements 1 and 0.
/// let sums = delong_sums(&[0.5, 0.9, 0.1], &[true, false, false])?;
/// assert!((negative_component(&sums)? - 0.5).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn negative_component(sums: &RankSums) -> Result<f64, NotEstimable> {
    auc_of(sums)?;
    placement_variance(sums.neg_squares, sums.doubled_u, sums.n_neg, sums.n_pos)
}

/// The sample variance of `n` placements with doubled sum `sum`, each out of `2 · others`.
fn placement_variance(squares: u128, sum: u128, n: u64, others: u64) -> Result<f64, NotEstimable> {
    if n < 2 {
        return Err(NotEstimable::TooFewPerClass);
    }
    // Not negative: the checked sums obey Cauchy–Schwarz.
    let deviations = Wide::product(u128::from(n), squares).difference(Wide::product(sum, sum));
    let scale = 2.0 * count_to_f64(others);
    Ok(deviations / (count_to_f64(n) * count_to_f64(n - 1)) / (scale * scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(n_pos: u64, n_neg: u64, doubled_u: u128, squares: (u128, u128)) -> RankSums {
        RankSums { n_pos, n_neg, doubled_u, pos_squares: squares.0, neg_squares: squares.1 }
    }

    #[test]
    fn each_missing_class_has_its_reason() {
        assert_eq!(delong(&sums(0, 0, 0, (0, 0))), Err(NotEstimable::EmptyInput));
        assert_eq!(delong(&sums(0, 3, 0, (0, 0))), Err(NotEstimable::OneClassOnly));
        assert_eq!(delong(&sums(3, 0, 0, (0, 0))), Err(NotEstimable::OneClassOnly));
    }

    #[test]
    fn one_positive_has_an_area_and_the_negatives_component() {
        let one = sums(1, 2, 2, (4, 4));
        assert!((auc_of(&one).unwrap() - 0.5).abs() < 1e-15);
        assert_eq!(delong(&one), Err(NotEstimable::TooFewPerClass));
        assert_eq!(positive_component(&one), Err(NotEstimable::TooFewPerClass));
        assert!((negative_component(&one).unwrap() - 0.5).abs() < 1e-15);
    }

    #[test]
    fn impossible_sums_are_no_estimate() {
        assert_eq!(delong(&sums(2, 2, 8, (1, 1))), Err(NotEstimable::InvalidInput));
    }

    #[test]
    fn a_perfect_area_has_no_variance() {
        let perfect = delong(&sums(2, 2, 8, (32, 32))).unwrap();
        assert!((perfect.auc - 1.0).abs() < 1e-15 && perfect.variance.abs() < 1e-15);
    }
}
