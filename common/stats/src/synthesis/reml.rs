//! The restricted maximum-likelihood estimator of τ².
//!
//! With `w_i = 1/(v_i + τ²)`, the restricted log-likelihood and its derivative are
//!
//! ```text
//! ℓ(τ²) = −½ (Σ ln(v_i + τ²) + ln Σw + Σ w (y − μ̂)²)
//! S(τ²) = ½ (−Σw + Σw²/Σw + Σ w² (y − μ̂)²)
//! ```
//!
//! ℓ may have several maxima. S is scanned over a geometric grid from 0 to a bound beyond which it
//! is negative; each change from + to − brackets a maximum, which Brent's method solves to the last
//! bits; the highest maximum is the estimate, 0 among them where S(0) ≤ 0. Scanning rather than
//! iterating from a start makes the result independent of one, and independent of site order.
//!
//! # References
//!
//! - D. A. Harville (1977). J. Am. Stat. Assoc. 72, 320–338.
//! - W. Viechtbauer (2005). J. Educ. Behav. Stat. 30, 261–293 (the estimator, its error
//!   `√(2 / tr PP)`).

use super::SiteEstimates;
use super::tau2::Tau2;
use super::weighted::{self, Weighted};
use crate::NotEstimable;
use crate::root::brent;

/// Grid points between 10⁻¹⁴ of the bound and the bound: neighbours differ by a third.
const GRID: u32 = 112;

/// The smallest grid point, as a share of the bound.
const SMALLEST: f64 = 1e-14;

/// Doublings in search of the bound: more exhaust the range of f64.
const MAX_DOUBLINGS: u32 = 2_000;

pub(super) fn reml(sites: &SiteEstimates) -> Result<Tau2, NotEstimable> {
    let bound = bound(sites, |t| score(sites, t))?;
    let tau2 = highest(|t| score(sites, t), |t| log_likelihood(sites, t), bound)?;
    let information = Weighted::at(sites, tau2).trace_pp;
    Ok(Tau2 { tau2, se: libm::sqrt(2.0 / information) })
}

/// The τ² of the highest maximum of a likelihood between 0 and `bound`, by its `score` and `height`.
pub(super) fn highest(
    score: impl Fn(f64) -> f64,
    height: impl Fn(f64) -> f64,
    bound: f64,
) -> Result<f64, NotEstimable> {
    let mut best = (score(0.0) <= 0.0).then(|| (0.0, height(0.0)));
    let mut left = 0.0;
    let mut rising = score(0.0) > 0.0;
    for step in 0..=GRID {
        let share = f64::from(GRID - step) / f64::from(GRID);
        let right = bound * libm::exp(share * libm::log(SMALLEST));
        let rising_here = score(right) > 0.0;
        if rising && !rising_here {
            let root = brent(&score, left, right).ok_or(NotEstimable::NotConverged)?;
            let height = height(root);
            if best.is_none_or(|(_, highest)| height > highest) {
                best = Some((root, height));
            }
        }
        (left, rising) = (right, rising_here);
    }
    best.map(|(tau2, _)| tau2).ok_or(NotEstimable::NotConverged)
}

/// A τ² at and beyond which the likelihood falls.
pub(super) fn bound(
    sites: &SiteEstimates,
    score: impl Fn(f64) -> f64,
) -> Result<f64, NotEstimable> {
    let (low, high) = sites
        .yi()
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(*y), high.max(*y)));
    let largest_v = sites.vi().iter().copied().fold(0.0, f64::max);
    // τ² cannot exceed the squared range by much: that would explain more than there is.
    let mut bound = (high - low) * (high - low) + largest_v;
    for _ in 0..MAX_DOUBLINGS {
        if score(bound) < 0.0 {
            return Ok(bound);
        }
        bound *= 2.0;
    }
    Err(NotEstimable::NotConverged)
}

/// 2 S(τ²).
fn score(sites: &SiteEstimates, tau2: f64) -> f64 {
    weighted::score(sites, tau2)
}

/// 2 ℓ(τ²).
fn log_likelihood(sites: &SiteEstimates, tau2: f64) -> f64 {
    let sums = Weighted::at(sites, tau2);
    let log_variances = sites.vi().iter().fold(0.0, |sum, v| sum + libm::log(v + tau2));
    -(log_variances + libm::log(sums.sum_w) + sums.q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_variances_have_the_closed_form() {
        // With equal v, τ̂² = s² − v.
        let sites = SiteEstimates::new(vec![1.0, 2.0, 4.0], vec![0.5; 3]).unwrap();
        let got = reml(&sites).unwrap();
        assert!((got.tau2 - (7.0 / 3.0 - 0.5)).abs() < 1e-13);
    }

    #[test]
    fn identical_estimates_have_none() {
        let sites = SiteEstimates::new(vec![0.7; 3], vec![0.11, 0.23, 0.07]).unwrap();
        assert!(reml(&sites).unwrap().tau2.abs() < 1e-300);
    }

    #[test]
    fn the_estimate_maximises_the_likelihood() {
        let sites =
            SiteEstimates::new(vec![0.1, 0.2, 0.9, 0.4], vec![1e-6, 1.0, 3.0, 10.0]).unwrap();
        let got = reml(&sites).unwrap().tau2;
        let highest = log_likelihood(&sites, got);
        for step in 0..2_000 {
            let other = f64::from(step) / 200.0;
            assert!(log_likelihood(&sites, other) <= highest + 1e-12, "{other}");
        }
    }
}
