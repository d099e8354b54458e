//! The Paule–Mandel (empirical Bayes) estimator of τ².
//!
//! τ̂² is the root of the generalised Q statistic,
//!
//! ```text
//! F(t) = Σ wᵢ(t) (yᵢ − μ̂(t))² − (k − 1),   wᵢ(t) = 1 / (vᵢ + t),   μ̂(t) = Σwᵢyᵢ / Σwᵢ
//! ```
//!
//! or 0 where F(0) ≤ 0. F decreases continuously to −(k − 1), so doubling brackets the root.
//!
//! # References
//!
//! - R. C. Paule, J. Mandel (1982). J. Res. Natl. Bur. Stand. 87(5), 377–385.
//! - R. DerSimonian, R. Kacker (2007). Contemp. Clin. Trials 28(2), 105–114.
//! - C. N. Morris (1983). J. Am. Stat. Assoc. 78, 47–55 (the error).

use super::SiteEstimates;
use super::tau2::Tau2;
use super::weighted::{Weighted, generalised_q};
use crate::NotEstimable;
use crate::count::len_to_f64;
use crate::root::brent;

/// Doublings from the largest sampling variance: more exhaust the range of f64.
const MAX_DOUBLINGS: u32 = 2_000;

pub(super) fn paule_mandel(sites: &SiteEstimates) -> Result<Tau2, NotEstimable> {
    let df = len_to_f64(sites.k() - 1);
    let tau2 = generalised_q_root(sites, df)?;
    let k = len_to_f64(sites.k());
    // metafor's form, sqrt(2k²/(k − 1)) / Σw: the information with equal weights assumed.
    let se = k * libm::sqrt(2.0 / df) / Weighted::at(sites, tau2).sum_w;
    Ok(Tau2 { tau2, se })
}

/// The t at which the generalised Q statistic equals `target`, or 0 where Q(0) is not above it.
pub(super) fn generalised_q_root(sites: &SiteEstimates, target: f64) -> Result<f64, NotEstimable> {
    let excess = |t: f64| generalised_q(sites, t) - target;
    if excess(0.0) <= 0.0 {
        return Ok(0.0);
    }
    let mut high = sites.vi().iter().copied().fold(0.0, f64::max);
    for _ in 0..MAX_DOUBLINGS {
        if excess(high) <= 0.0 {
            return brent(excess, 0.0, high).ok_or(NotEstimable::NotConverged);
        }
        high *= 2.0;
    }
    Err(NotEstimable::NotConverged)
}
