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
//! With P the projection that the weights make, `2 S = y'PPy − tr P`, and `dP/dτ² = −PP`: both terms fall in
//! τ². Between two points S is therefore bounded by the terms at its ends, and where both bounds have one
//! sign, no point of the grid between them needs to be looked at.
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

/// Terms must differ by more than this part of themselves for their difference to have a certain sign:
/// rounding is far less.
const MARGIN: f64 = 1e-9;

pub(super) fn reml(sites: &SiteEstimates) -> Result<Tau2, NotEstimable> {
    let bound = bound(sites, |t| terms(sites, t).score())?;
    let tau2 = highest(|t| terms(sites, t), |t| log_likelihood(sites, t), bound)?;
    let information = Weighted::at(sites, tau2).trace_pp;
    Ok(Tau2 { tau2, se: libm::sqrt(2.0 / information) })
}

/// The two terms of a score at one τ², both of which fall in τ².
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// `y'PPy`.
    pub(super) q2: f64,
    /// `tr P`.
    pub(super) trace_p: f64,
}

impl Terms {
    /// Twice the derivative of the restricted log-likelihood.
    pub(super) fn score(self) -> f64 {
        self.q2 - self.trace_p
    }

    /// Whether the score has one sign from here to the terms at a larger τ².
    fn have_one_sign(self, further: Self) -> bool {
        let rises = further.q2 > (1.0 + MARGIN) * self.trace_p;
        let falls = (1.0 + MARGIN) * self.q2 < further.trace_p;
        rises || falls
    }
}

/// The τ² of the highest maximum of a likelihood between 0 and `bound`, by the `terms` of its score and its
/// `height`.
pub(super) fn highest(
    terms: impl Fn(f64) -> Terms,
    height: impl Fn(f64) -> f64,
    bound: f64,
) -> Result<f64, NotEstimable> {
    let grid = |point: u32| {
        let share = f64::from(GRID + 1 - point) / f64::from(GRID);
        if point == 0 { 0.0 } else { bound * libm::exp(share * libm::log(SMALLEST)) }
    };
    let at = |point: u32| (point, terms(grid(point)));
    let (first, last) = (at(0), at(GRID + 1));
    let mut best = (first.1.score() <= 0.0).then(|| (0.0, height(0.0)));
    // Stretches that are still to be looked at, the leftmost on top.
    let mut stretches = vec![(first, last)];
    while let Some((left, right)) = stretches.pop() {
        if right.0 - left.0 > 1 {
            if !left.1.have_one_sign(right.1) {
                let middle = at(u32::midpoint(left.0, right.0));
                stretches.extend([(middle, right), (left, middle)]);
            }
        } else if left.1.score() > 0.0 && right.1.score() <= 0.0 {
            let root = brent(|t| terms(t).score(), grid(left.0), grid(right.0))
                .ok_or(NotEstimable::NotConverged)?;
            let height = height(root);
            if best.is_none_or(|(_, highest)| height > highest) {
                best = Some((root, height));
            }
        }
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

/// The terms of 2 S(τ²).
fn terms(sites: &SiteEstimates, tau2: f64) -> Terms {
    let (q2, trace_p) = weighted::score_terms(sites, tau2);
    Terms { q2, trace_p }
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

    /// Every point of the grid, one after the other.
    fn by_walking(sites: &SiteEstimates) -> f64 {
        let score = |t: f64| terms(sites, t).score();
        let bound = bound(sites, score).unwrap();
        let mut best = (score(0.0) <= 0.0).then(|| (0.0, log_likelihood(sites, 0.0)));
        let mut left = 0.0;
        for step in 0..=GRID {
            let share = f64::from(GRID - step) / f64::from(GRID);
            let right = bound * libm::exp(share * libm::log(SMALLEST));
            if score(left) > 0.0 && score(right) <= 0.0 {
                let root = brent(score, left, right).unwrap();
                let height = log_likelihood(sites, root);
                if best.is_none_or(|(_, highest)| height > highest) {
                    best = Some((root, height));
                }
            }
            left = right;
        }
        best.unwrap().0
    }

    proptest::proptest! {
        /// Variances over many orders of magnitude: such likelihoods have several maxima.
        #[test]
        fn skipping_what_is_certain_finds_what_walking_finds(
            rows in proptest::collection::vec((-3.0..3.0_f64, -14.0..6.0_f64), 2..9),
        ) {
            let (yi, vi) = rows.iter().map(|(y, log_v)| (*y, libm::exp(*log_v))).unzip();
            let sites = SiteEstimates::new(yi, vi).unwrap();
            let got = reml(&sites).unwrap().tau2;
            proptest::prop_assert_eq!(got.to_bits(), by_walking(&sites).to_bits());
        }
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
