//! Two AUROCs beside each other: of two index tests on the same cases, or of two cohorts.
//!
//! # References
//!
//! - E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson (1988). Biometrics 44, 837–845.
//! - X. Robin et al. (2011). BMC Bioinformatics 12, 77 (pROC; Welch's degrees of freedom for two cohorts).

use super::Auroc;
use super::delong::auc_of;
use crate::NotEstimable;
use crate::aggregate::{JointRankSums, RankSums};
use crate::count::{count_to_f64, finite};
use crate::interval::Interval;
use crate::special::{normal, student_t};
use crate::wide::Wide;

/// A difference of two areas, first minus second, on the probability scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AurocDifference {
    /// The difference.
    pub difference: f64,
    /// Its standard error; 0 where both index tests rank every pair alike.
    pub se: f64,
}

impl AurocDifference {
    /// The difference in standard errors.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::ZeroVariance`] where the error is 0.
    pub fn z(&self) -> Result<f64, NotEstimable> {
        if self.se > 0.0 {
            finite(self.difference / self.se)
        } else {
            Err(NotEstimable::ZeroVariance)
        }
    }

    /// The two-sided p-value of no difference by the normal distribution; 1 where there is neither a
    /// difference nor an error.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::ZeroVariance`] where there is a difference without an error.
    pub fn p(&self) -> Result<f64, NotEstimable> {
        match self.z() {
            Ok(z) => Ok(normal::two_sided_p(z)),
            Err(_) if self.difference.abs() <= 0.0 => Ok(1.0),
            Err(reason) => Err(reason),
        }
    }

    /// The Wald interval of the difference.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::LevelOutOfRange`].
    pub fn interval(&self, level: f64) -> Result<Interval, NotEstimable> {
        Interval::wald(self.difference, self.se, level)
    }

    /// Whether the first area is at most `margin` below the second: z and the one-sided p-value of the
    /// hypothesis that it is lower by the margin or more.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] unless `-1 <= margin <= 1`, [`NotEstimable::ZeroVariance`] where the
    /// error is 0.
    pub fn non_inferiority(&self, margin: f64) -> Result<(f64, f64), NotEstimable> {
        if !(-1.0..=1.0).contains(&margin) {
            return Err(NotEstimable::InvalidInput);
        }
        let shifted = Self { difference: self.difference + margin, se: self.se };
        let z = shifted.z()?;
        Ok((z, normal::cdf(-z)))
    }
}

/// The difference of two index tests of `sums`, `first` minus `second`.
///
/// The variance of the difference is that of the differences of placements, formed from integers: two
/// index tests that rank alike have a variance of exactly 0.
///
/// # Errors
///
/// Those of [`auc_of`]; [`NotEstimable::TooFewPerClass`] where a class has one case;
/// [`NotEstimable::InvalidInput`] where there is no such index test or the sums fail their check.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::joint_rank_sums;
/// use fedval_stats::auroc::paired_difference;
///
/// let positive = [true, true, false, false];
/// let sums = joint_rank_sums(&[vec![4, 3, 2, 1], vec![4, 2, 3, 1]], &positive)?;
/// assert!((paired_difference(&sums, 0, 1)?.difference - 0.25).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn paired_difference(
    sums: &JointRankSums,
    first: usize,
    second: usize,
) -> Result<AurocDifference, NotEstimable> {
    sums.check().map_err(|_| NotEstimable::InvalidInput)?;
    let area = |test: usize| auc_of(&sums.of_one(test).ok_or(NotEstimable::InvalidInput)?);
    let (a, b) = (area(first)?, area(second)?);
    if sums.n_pos < 2 || sums.n_neg < 2 {
        return Err(NotEstimable::TooFewPerClass);
    }
    let excess = sums.doubled_u[first].abs_diff(sums.doubled_u[second]);
    let variance = |products: &ndarray::Array2<u128>, n: u64, others: u64| {
        // The sum of the squares of differences.
        let own = products[[first, first]].checked_add(products[[second, second]])?;
        let squares = own.checked_sub(products[[first, second]].checked_mul(2)?)?;
        let deviations =
            Wide::product(u128::from(n), squares).difference(Wide::product(excess, excess));
        let scale = 2.0 * count_to_f64(others);
        let spread = deviations / (count_to_f64(n) * count_to_f64(n - 1)) / (scale * scale);
        Some(spread / count_to_f64(n))
    };
    let of_pos = variance(&sums.pos_products, sums.n_pos, sums.n_neg);
    let of_neg = variance(&sums.neg_products, sums.n_neg, sums.n_pos);
    let variance = of_pos.zip(of_neg).map(|(pos, neg)| pos + neg);
    let variance = variance.ok_or(NotEstimable::InvalidInput)?;
    Ok(AurocDifference { difference: a - b, se: libm::sqrt(variance.max(0.0)) })
}

/// The difference of the areas of two cohorts without a common case.
///
/// # Examples
///
/// ```
/// use fedval_stats::auroc::{Auroc, unpaired_difference};
///
/// let first = Auroc { auc: 0.85, s10: 0.04, s01: 0.05, s11: None, variance: 0.0009, se: 0.03 };
/// let second = Auroc { auc: 0.75, s10: 0.08, s01: 0.08, s11: None, variance: 0.0016, se: 0.04 };
/// let difference = unpaired_difference(&first, &second);
/// assert!((difference.difference - 0.1).abs() < 1e-12);
/// assert!((difference.se - 0.05).abs() < 1e-12); // √(0.03² + 0.04²)
/// ```
#[must_use]
pub fn unpaired_difference(first: &Auroc, second: &Auroc) -> AurocDifference {
    let variance = first.variance + second.variance;
    AurocDifference { difference: first.auc - second.auc, se: libm::sqrt(variance) }
}

/// pROC's test of two cohorts: Welch's degrees of freedom and the two-sided p-value by t.
///
/// # Errors
///
/// [`NotEstimable::ZeroVariance`] where neither area has a variance.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::delong_sums;
/// use fedval_stats::auroc::{delong, welch_test};
///
/// // Areas of ¾ and ¼, each with variance ⅛ from four cases: z = 1 on 3 + 3 degrees of freedom.
/// let scores = [0.9, 0.4, 0.6, 0.1];
/// let first = delong_sums(&scores, &[true, true, false, false])?;
/// let second = delong_sums(&scores, &[false, false, true, true])?;
/// let (df, p) = welch_test((&delong(&first)?, &first), (&delong(&second)?, &second))?;
/// assert!((df - 6.0).abs() < 1e-12 && (p - 0.355_918).abs() < 1e-6);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn welch_test(
    first: (&Auroc, &RankSums),
    second: (&Auroc, &RankSums),
) -> Result<(f64, f64), NotEstimable> {
    let difference = unpaired_difference(first.0, second.0);
    let z = difference.z()?;
    let part = |(auroc, sums): (&Auroc, &RankSums)| {
        auroc.variance * auroc.variance
            / (count_to_f64(sums.n_pos) + count_to_f64(sums.n_neg) - 1.0)
    };
    let df = difference.se.powi(4) / (part(first) + part(second));
    if !df.is_finite() || df < 1.0 {
        return Err(NotEstimable::ZeroVariance);
    }
    Ok((df, student_t::two_sided_p(z, df)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::joint_rank_sums;
    use crate::auroc::joint_delong;

    const POSITIVE: [bool; 6] = [true, true, true, false, false, false];

    #[test]
    fn the_variance_is_that_of_the_covariance_matrix() {
        let sums = joint_rank_sums(&[vec![6, 2, 5, 3, 1, 4], vec![1, 6, 5, 4, 3, 2]], &POSITIVE);
        let sums = sums.unwrap();
        let covariance = joint_delong(&sums).unwrap().covariance;
        let expected = covariance[[0, 0]] + covariance[[1, 1]] - 2.0 * covariance[[0, 1]];
        let difference = paired_difference(&sums, 0, 1).unwrap();
        assert!((difference.se * difference.se - expected).abs() < 1e-14);
    }

    #[test]
    fn index_tests_that_rank_alike_do_not_differ() {
        let sums =
            joint_rank_sums(&[vec![6, 2, 5, 3, 1, 4], vec![60, 20, 50, 30, 10, 40]], &POSITIVE);
        let difference = paired_difference(&sums.unwrap(), 0, 1).unwrap();
        assert!(difference.se <= 0.0 && difference.difference.abs() <= 0.0);
        assert_eq!(difference.z(), Err(NotEstimable::ZeroVariance));
        assert_eq!(difference.p(), Ok(1.0));
        assert_eq!(difference.non_inferiority(0.05), Err(NotEstimable::ZeroVariance));
    }

    #[test]
    fn an_index_test_that_is_not_there_is_refused() {
        let sums = joint_rank_sums(&[vec![6, 2, 5, 3, 1, 4]], &POSITIVE).unwrap();
        assert_eq!(paired_difference(&sums, 0, 1), Err(NotEstimable::InvalidInput));
    }
}
