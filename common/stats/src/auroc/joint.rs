//! DeLong's covariance of several AUROCs on the same cases.
//!
//! ```text
//! S10_jk = Σ_i (V10_ij − A_j)(V10_ik − A_k) / (n_pos − 1),   S01_jk likewise over the negatives
//! cov(A_j, A_k) = S10_jk / n_pos + S01_jk / n_neg
//! ```
//!
//! # References
//!
//! - E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson (1988). Biometrics 44, 837–845, eq. 5–7.

use ndarray::Array2;

use super::delong::auc_of;
use crate::NotEstimable;
use crate::aggregate::JointRankSums;
use crate::count::count_to_f64;
use crate::wide::Wide;

/// Several areas with their covariance, on the probability scale.
#[derive(Debug, Clone, PartialEq)]
pub struct JointAuroc {
    /// The areas of J index tests.
    pub auc: Vec<f64>,
    /// Components of the positives, J × J.
    pub s10: Array2<f64>,
    /// Components of the negatives, J × J.
    pub s01: Array2<f64>,
    /// The covariance of the areas, J × J.
    pub covariance: Array2<f64>,
}

/// The areas of several index tests on the same cases, and their covariance.
///
/// # Errors
///
/// Those of [`auc_of`], and [`NotEstimable::TooFewPerClass`] where a class has one case.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::joint_rank_sums;
/// use fedval_stats::auroc::joint_delong;
///
/// let positive = [true, true, false, false];
/// let sums = joint_rank_sums(&[vec![4, 2, 3, 1], vec![4, 3, 2, 1]], &positive)?;
/// let joint = joint_delong(&sums)?;
/// assert!((joint.auc[0] - 0.75).abs() < 1e-15 && (joint.auc[1] - 1.0).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn joint_delong(sums: &JointRankSums) -> Result<JointAuroc, NotEstimable> {
    sums.check().map_err(|_| NotEstimable::InvalidInput)?;
    let ones = (0..sums.index_tests()).filter_map(|test| sums.of_one(test));
    let auc = ones.map(|sums| auc_of(&sums)).collect::<Result<Vec<f64>, _>>()?;
    if auc.is_empty() {
        return Err(NotEstimable::EmptyInput);
    }
    if sums.n_pos < 2 || sums.n_neg < 2 {
        return Err(NotEstimable::TooFewPerClass);
    }
    let s10 = component(&sums.pos_products, &sums.doubled_u, sums.n_pos, sums.n_neg);
    let s01 = component(&sums.neg_products, &sums.doubled_u, sums.n_neg, sums.n_pos);
    let (n_pos, n_neg) = (count_to_f64(sums.n_pos), count_to_f64(sums.n_neg));
    let covariance = Array2::from_shape_fn(s10.dim(), |at| s10[at] / n_pos + s01[at] / n_neg);
    Ok(JointAuroc { auc, s10, s01, covariance })
}

/// Sample covariances of n placements, each out of `2 · others`.
fn component(products: &Array2<u128>, totals: &[u128], n: u64, others: u64) -> Array2<f64> {
    let scale = 2.0 * count_to_f64(others);
    Array2::from_shape_fn(products.dim(), |(j, k)| {
        let deviations = Wide::product(u128::from(n), products[[j, k]])
            .difference(Wide::product(totals[j], totals[k]));
        deviations / (count_to_f64(n) * count_to_f64(n - 1)) / (scale * scale)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::joint_rank_sums;
    use crate::auroc::delong;

    #[test]
    fn the_diagonal_is_the_variance_of_each_alone() {
        let positive = [true, true, true, false, false, false];
        let sums = joint_rank_sums(&[vec![6, 2, 5, 3, 1, 4], vec![1, 6, 5, 4, 3, 2]], &positive);
        let sums = sums.unwrap();
        let joint = joint_delong(&sums).unwrap();
        for test in 0..2 {
            let alone = delong(&sums.of_one(test).unwrap()).unwrap();
            assert!((joint.covariance[[test, test]] - alone.variance).abs() < 1e-15);
        }
    }

    #[test]
    fn one_case_of_a_class_has_no_covariance() {
        let sums = joint_rank_sums(&[vec![2, 1, 3]], &[true, false, false]).unwrap();
        assert_eq!(joint_delong(&sums), Err(NotEstimable::TooFewPerClass));
        let none = joint_rank_sums(&[], &[true, false]).unwrap();
        assert_eq!(joint_delong(&none), Err(NotEstimable::EmptyInput));
    }
}
