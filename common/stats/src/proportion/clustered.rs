//! Proportions and means of clustered cases by the ratio estimator.
//!
//! With cluster totals `x_k`, sizes `m_k`, M = Σ m_k and I clusters,
//!
//! ```text
//! p = Σ x_k / M,   var(p) = I / (I − 1) · Σ (x_k − p m_k)² / M²
//! ```
//!
//! The sum of squared residuals is formed exactly from the integer aggregate,
//! `(M² Σx² − 2 M X Σxm + X² Σm²) / M²`, and rounded once.
//!
//! # References
//!
//! - W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 2.11 and chapter 6.
//! - J. N. K. Rao, A. J. Scott (1992). Biometrics 48, 577–585 (clustered binary data).

use super::wilson::real_count;
use crate::aggregate::ClusterSums;
use crate::count::count_to_f64;
use crate::wide::Wide;
use crate::{Interval, NotEstimable};

/// A proportion of clustered cases, on the probability scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredProportion {
    /// Successes over cases.
    pub proportion: f64,
    /// Its between-cluster variance.
    pub variance: f64,
    /// The square root of `variance`.
    pub se: f64,
    /// The error that ignores the clusters, `√(p(1 − p)/M)`.
    pub naive_se: f64,
    /// `variance / naive_se²`; `None` where the proportion is 0 or 1.
    pub design_effect: Option<f64>,
}

/// The ratio estimate of a proportion with its between-cluster variance.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases, [`NotEstimable::TooFewClusters`] with one cluster,
/// [`NotEstimable::InvalidInput`] where `sums` fail
/// [`check_bounded(1)`](ClusterSums::check_bounded).
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::cluster_sums;
/// use fedval_stats::proportion::clustered;
///
/// let sensitivity = clustered(&cluster_sums([(0, 1), (0, 1), (1, 0), (2, 1)]))?;
/// assert!((sensitivity.proportion - 0.75).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn clustered(sums: &ClusterSums) -> Result<ClusteredProportion, NotEstimable> {
    if sums.size > 0 && sums.check_bounded(1).is_err() {
        return Err(NotEstimable::InvalidInput);
    }
    let Ratio { mean: proportion, variance } = ratio(sums)?;
    let naive_variance = proportion * (1.0 - proportion) / count_to_f64(sums.size);
    Ok(ClusteredProportion {
        proportion,
        variance,
        se: libm::sqrt(variance),
        naive_se: libm::sqrt(naive_variance),
        design_effect: (naive_variance > 0.0).then(|| variance / naive_variance),
    })
}

/// Wilson's interval on the effective sample size `n* = p(1 − p) / var(p)`, on the probability
/// scale.
///
/// Where the variance says nothing (p is 0 or 1, or every cluster has the same proportion), n* is
/// the number of clusters: each patient then counts as one case, the least that the data are worth.
/// One cluster alone is treated the same way.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`], [`NotEstimable::InvalidInput`], [`NotEstimable::LevelOutOfRange`].
///
/// # References
///
/// - E. L. Korn, B. I. Graubard (1998). Confidence intervals for proportions with small expected
///   number of positive counts estimated from survey data. Surv. Methodol. 24, 193–201 (the
///   effective sample size, there within Clopper–Pearson).
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::cluster_sums;
/// use fedval_stats::proportion::clustered_interval;
///
/// // p = ¾ with variance 21/256: n* = 16/7 of four cases.
/// let sums = cluster_sums([(0, 1), (0, 1), (1, 0), (2, 1)]);
/// let interval = clustered_interval(&sums, 0.95)?;
/// assert!((interval.lower - 0.216_272).abs() < 1e-6);
/// assert!((interval.upper - 0.970_251).abs() < 1e-6);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn clustered_interval(sums: &ClusterSums, level: f64) -> Result<Interval, NotEstimable> {
    if sums.size == 0 {
        return Err(NotEstimable::EmptyInput);
    }
    sums.check_bounded(1).map_err(|_| NotEstimable::InvalidInput)?;
    let p = count_to_f64(sums.total) / count_to_f64(sums.size);
    let variance = match ratio(sums) {
        Ok(ratio) => ratio.variance,
        Err(NotEstimable::TooFewClusters) => 0.0,
        Err(reason) => return Err(reason),
    };
    let spread = p * (1.0 - p);
    let effective = if spread > 0.0 && variance > 0.0 {
        spread / variance
    } else {
        count_to_f64(sums.clusters)
    };
    real_count(p, effective, level)
}

/// [`clustered_interval`] where not the sums are known but the standard error `se` that followed from them.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without clusters, [`NotEstimable::InvalidInput`] for a proportion outside 0 to 1 or
/// an error that is none, [`NotEstimable::LevelOutOfRange`].
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::cluster_sums;
/// use fedval_stats::proportion::{clustered, clustered_interval, interval_of_error};
///
/// let sums = cluster_sums([(0, 1), (0, 1), (1, 0), (2, 1)]);
/// let fit = clustered(&sums)?;
/// let interval = interval_of_error(fit.proportion, fit.se, sums.clusters, 0.95)?;
/// assert!((interval.lower - clustered_interval(&sums, 0.95)?.lower).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn interval_of_error(
    proportion: f64,
    se: f64,
    clusters: u64,
    level: f64,
) -> Result<Interval, NotEstimable> {
    if clusters == 0 {
        return Err(NotEstimable::EmptyInput);
    }
    if !(0.0..=1.0).contains(&proportion) || !se.is_finite() || se < 0.0 {
        return Err(NotEstimable::InvalidInput);
    }
    let (spread, variance) = (proportion * (1.0 - proportion), se * se);
    // An error so small that its square is nothing says no more than none.
    let effective =
        if spread > 0.0 && variance > 0.0 { spread / variance } else { count_to_f64(clusters) };
    // Beyond, squares overflow; no cohort is there.
    if (1e-9..=1e18).contains(&effective) {
        real_count(proportion, effective, level)
    } else {
        Err(NotEstimable::InvalidInput)
    }
}

/// The ratio estimate of a mean and its standard error, in units of x times `unit`: for a Brier
/// score sent in 10⁻¹², `unit` is 1e-12.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases, [`NotEstimable::TooFewClusters`] with one cluster,
/// [`NotEstimable::InvalidInput`] where `sums` fail [`ClusterSums::check`] or `unit` is not finite.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::cluster_sums;
/// use fedval_stats::proportion::ratio_mean;
///
/// let (brier, _) = ratio_mean(&cluster_sums([(0, 40_000_000_000), (1, 0)]), 1e-12)?;
/// assert!((brier - 0.02).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn ratio_mean(sums: &ClusterSums, unit: f64) -> Result<(f64, f64), NotEstimable> {
    if !unit.is_finite() {
        return Err(NotEstimable::InvalidInput);
    }
    let Ratio { mean, variance } = ratio(sums)?;
    Ok((mean * unit, libm::sqrt(variance) * unit.abs()))
}

struct Ratio {
    mean: f64,
    variance: f64,
}

fn ratio(sums: &ClusterSums) -> Result<Ratio, NotEstimable> {
    if sums.size == 0 {
        return Err(NotEstimable::EmptyInput);
    }
    sums.check().map_err(|_| NotEstimable::InvalidInput)?;
    if sums.clusters < 2 {
        return Err(NotEstimable::TooFewClusters);
    }
    let residuals = scaled_residuals(sums).ok_or(NotEstimable::InvalidInput)?;
    let (clusters, size) = (count_to_f64(sums.clusters), count_to_f64(sums.size));
    let size_squared = size * size;
    Ok(Ratio {
        mean: count_to_f64(sums.total) / size,
        variance: clusters / (clusters - 1.0) * residuals / size_squared / size_squared,
    })
}

/// `M² Σ (x_k − p m_k)²`, or `None` where a product exceeds 256 bits.
fn scaled_residuals(sums: &ClusterSums) -> Option<f64> {
    let (size, total) = (u128::from(sums.size), sums.total);
    let squares = Wide::product(size * size, sums.total_squares);
    let sizes = Wide::product(total.checked_mul(total)?, u128::from(sums.size_squares));
    let mixed = Wide::product(size.checked_mul(total)?, sums.total_by_size);
    let residuals = squares.checked_add(sizes)?.difference(mixed.checked_add(mixed)?);
    // The checked sums obey Cauchy–Schwarz one by one, not jointly: a hostile aggregate could still
    // make the quadratic form negative.
    (residuals >= 0.0).then_some(residuals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::cluster_sums;

    #[test]
    fn one_case_a_cluster_is_the_binomial_variance_with_the_small_sample_factor() {
        let rows = (0..10).map(|i| (i, u64::from(i < 7)));
        let got = clustered(&cluster_sums(rows)).unwrap();
        assert!((got.variance - 0.7 * 0.3 / 9.0).abs() < 1e-15);
        assert!((got.design_effect.unwrap() - 10.0 / 9.0).abs() < 1e-12);
    }

    #[test]
    fn a_proportion_of_one_has_an_interval_on_its_clusters() {
        let sums = cluster_sums([(0, 1), (0, 1), (1, 1), (2, 1)]);
        let got = clustered(&sums).unwrap();
        assert_eq!(got.design_effect, None);
        assert!(got.variance.abs() < 1e-15 && (got.proportion - 1.0).abs() < 1e-15);
        let interval = clustered_interval(&sums, 0.95).unwrap();
        assert_eq!(Ok(interval), crate::proportion::wilson(3, 3, 0.95));
    }

    #[test]
    fn equal_clusters_count_as_one_case_each() {
        let sums = cluster_sums([(0, 1), (0, 0), (1, 1), (1, 0)]);
        let interval = clustered_interval(&sums, 0.95).unwrap();
        assert_eq!(Ok(interval), crate::proportion::wilson(1, 2, 0.95));
    }

    #[test]
    fn one_cluster_has_an_interval_but_no_variance() {
        let sums = cluster_sums([(4, 1), (4, 0), (4, 1)]);
        assert_eq!(clustered(&sums), Err(NotEstimable::TooFewClusters));
        assert!(clustered_interval(&sums, 0.95).is_ok());
        let empty = ClusterSums::default();
        assert_eq!(clustered(&empty), Err(NotEstimable::EmptyInput));
        assert_eq!(clustered_interval(&empty, 0.95), Err(NotEstimable::EmptyInput));
    }

    #[test]
    fn more_successes_than_cases_are_refused() {
        let sums = cluster_sums([(0, 3), (1, 1)]);
        assert_eq!(clustered(&sums), Err(NotEstimable::InvalidInput));
        assert!(ratio_mean(&sums, 1.0).is_ok());
    }
}
