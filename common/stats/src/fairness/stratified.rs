//! A gap over several sites: formed within each, then synthesised.

use crate::NotEstimable;
use crate::count::finite;
use crate::interval::{Interval, critical_normal};
use crate::special::normal;
use crate::synthesis::{SiteEstimates, primary};

/// The power at which [`StratifiedGap::detectable`] is given, as a quantile of the normal distribution: 80 %.
const POWER_QUANTILE: f64 = 0.841_621_233_572_914_3;

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
    /// The smallest true gap that a study of this error finds at its level in 80 of 100 cases.
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
/// assert!((gap.gap.estimate + 0.0479).abs() < 5e-4 && gap.detectable < 0.05);
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
            detectable: finite((critical + POWER_QUANTILE) * se)?,
        });
    }
    let (yi, vi) = gaps.iter().map(|(gap, se)| (*gap, se * se)).unzip();
    let sites = SiteEstimates::new(yi, vi).map_err(|_| NotEstimable::InvalidInput)?;
    let fit = primary(&sites, level)?;
    let gap = Interval { estimate: fit.mu, lower: fit.ci_lower, upper: fit.ci_upper, level };
    Ok(StratifiedGap {
        k: fit.k,
        gap: bounded(gap)?,
        tau2: fit.tau2,
        p: fit.p.ok_or(NotEstimable::ZeroVariance),
        detectable: finite((critical + POWER_QUANTILE) * fit.se_wald)?,
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
    fn what_is_no_gap_is_refused() {
        assert_eq!(stratified(&[], 0.95), Err(NotEstimable::EmptyInput));
        for bad in [(f64::NAN, 0.1), (0.1, 0.0), (0.1, f64::INFINITY)] {
            assert_eq!(stratified(&[bad, (0.0, 0.1)], 0.95), Err(NotEstimable::InvalidInput));
        }
        assert!(stratified(&[(0.1, 0.1)], 1.5).is_err());
    }
}
