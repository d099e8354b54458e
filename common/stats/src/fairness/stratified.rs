//! A gap over several sites: formed within each, then synthesised.
//!
//! What a study of this size would have found is told by the error and the distribution of its interval: the smallest
//! gap that it detects is `(t₁₋α/₂ + t₀.₈) · se`, with t of k − 1 degrees of freedom; of one site both are normal
//! quantiles. This is Bloom's approximation: it takes the distribution of the statistic under a true gap for that under
//! none, moved. By the noncentral t distribution, which it is exactly, the gap is larger by 16 % with two sites, by 5 %
//! with three, by 2 % with four and by less with more.
//!
//! # References
//!
//! - H. S. Bloom (1995). Minimum detectable effects. Evaluation Review 19, 547–556.

use crate::NotEstimable;
use crate::count::{finite, len_to_f64};
use crate::interval::{Interval, critical_normal, critical_t};
use crate::special::{normal, student_t};
use crate::synthesis::{SiteEstimates, primary};

/// So many of a hundred studies miss a gap of the size [`StratifiedGap::detectable`], as a share: a power of 80 %.
const MISSED: f64 = 0.2;

/// A gap between a group and its reference over sites, on the scale of the metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StratifiedGap {
    /// Number of sites.
    pub k: usize,
    /// Mean gap with its interval.
    pub gap: Interval,
    /// Variance of the gap between sites; 0 with one site.
    pub tau2: f64,
    /// Two-sided p-value of no gap; [`NotEstimable::ZeroVariance`] where all sites agree to the last digit.
    pub p: Result<f64, NotEstimable>,
    /// The smallest true gap that a study of this error finds at its level in 80 of 100 cases, by the distribution of
    /// [`gap`](Self::gap)'s interval. It is larger than half of the interval's width: no study whose interval reaches
    /// further than a gap to either side says that it would have found it.
    pub detectable: f64,
}

/// Synthesises the gaps of sites, each a difference with its standard error: the difference itself at one
/// site, REML with Hartung and Knapp's interval over several.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without sites; [`NotEstimable::InvalidInput`] where an error is not
/// positive, or where all are so extreme that a result is not finite; those of [`primary`].
///
/// # Examples
///
/// ```
/// use fedval_stats::fairness::stratified;
///
/// let gap = stratified(&[(-0.04, 0.02), (-0.06, 0.03), (-0.05, 0.02)], 0.95)?;
/// assert!((gap.gap.estimate + 0.0479).abs() < 5e-4 && gap.detectable < 0.07);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn stratified(gaps: &[(f64, f64)], level: f64) -> Result<StratifiedGap, NotEstimable> {
    let critical = critical_normal(level)?;
    if gaps.is_empty() {
        return Err(NotEstimable::EmptyInput);
    }
    if gaps.iter().any(|(gap, se)| !gap.is_finite() || !se.is_finite() || *se <= 0.0) {
        return Err(NotEstimable::InvalidInput);
    }
    if let [(gap, se)] = gaps {
        return Ok(StratifiedGap {
            k: 1,
            gap: bounded(Interval::wald(*gap, *se, level)?)?,
            tau2: 0.0,
            p: Ok(normal::two_sided_p(gap / se)),
            detectable: finite((critical + normal::upper_quantile(MISSED)) * se)?,
        });
    }
    let (yi, vi) = gaps.iter().map(|(gap, se)| (*gap, se * se)).unzip();
    let sites = SiteEstimates::new(yi, vi).map_err(|_| NotEstimable::InvalidInput)?;
    let fit = primary(&sites, level)?;
    let gap = Interval { estimate: fit.mu, lower: fit.ci_lower, upper: fit.ci_upper, level };
    let df = len_to_f64(fit.q_df);
    let quantiles = critical_t(level, df)? + student_t::upper_quantile(MISSED, df);
    Ok(StratifiedGap {
        k: fit.k,
        gap: bounded(gap)?,
        tau2: fit.tau2,
        p: fit.p.ok_or(NotEstimable::ZeroVariance),
        detectable: finite(quantiles * fit.se_mu)?,
    })
}

/// An interval whose ends are finite.
fn bounded(interval: Interval) -> Result<Interval, NotEstimable> {
    for end in [interval.estimate, interval.lower, interval.upper] {
        finite(end)?;
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_site_answers_for_itself() {
        let gap = stratified(&[(-0.1, 0.05)], 0.95).unwrap();
        assert_eq!((gap.k, gap.gap.estimate, gap.tau2), (1, -0.1, 0.0));
        assert!((gap.p.unwrap() - 0.045_500_263_896_358_4).abs() < 1e-12);
        assert!((gap.detectable - 0.140_079).abs() < 1e-6);
    }

    #[test]
    fn two_sites_that_cannot_tell_do_not_say_that_they_would_have() {
        // Of equal errors the mean's own is that of the two gaps: 0.025. One degree of freedom: Cauchy's quantiles.
        let gap = stratified(&[(-0.02, 0.03), (0.03, 0.03)], 0.95).unwrap();
        let (critical, power) = (12.706_204_736, 1.376_381_920);
        assert!((gap.gap.upper - gap.gap.estimate - 0.025 * critical).abs() < 1e-9);
        assert!((gap.detectable - 0.025 * (critical + power)).abs() < 1e-9);
    }

    #[test]
    fn many_sites_detect_what_the_normal_distribution_says() {
        let gaps: Vec<(f64, f64)> =
            (0..4_000).map(|site| (if site % 2 == 0 { 0.01 } else { -0.01 }, 0.02)).collect();
        let gap = stratified(&gaps, 0.95).unwrap();
        let error = 0.02 / libm::sqrt(4_000.0);
        assert!((gap.detectable / error - 2.801_585).abs() < 2e-3, "{}", gap.detectable / error);
    }

    #[test]
    fn what_is_no_gap_is_refused() {
        assert_eq!(stratified(&[], 0.95), Err(NotEstimable::EmptyInput));
        for bad in [(f64::NAN, 0.1), (0.1, 0.0), (0.1, f64::INFINITY)] {
            assert_eq!(stratified(&[bad, (0.0, 0.1)], 0.95), Err(NotEstimable::InvalidInput));
        }
        assert!(stratified(&[(0.1, 0.1)], 1.5).is_err());
    }
}
