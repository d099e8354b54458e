//! The DerSimonian–Laird estimator of τ².
//!
//! With inverse-variance weights w, `C = Σw − Σw²/Σw` and Cochran's Q,
//!
//! ```text
//! τ̂² = max(0, (Q − (k − 1)) / C)
//! var(τ̂²) = (2(k − 1) + 4 τ² C + 2 τ⁴ tr(PP)) / C²,   P = W − W11'W/Σw
//! ```
//!
//! # References
//!
//! - R. DerSimonian, N. Laird (1986). Control. Clin. Trials 7, 177–188.
//! - B. J. Biggerstaff, R. L. Tweedie (1997). Stat. Med. 16, 753–768 (the variance of Q).

use super::SiteEstimates;
use super::tau2::Tau2;
use super::weighted::Weighted;
use crate::count::len_to_f64;

pub(super) fn dersimonian_laird(sites: &SiteEstimates) -> Tau2 {
    let sums = Weighted::at(sites, 0.0);
    let df = len_to_f64(sites.k() - 1);
    let c = sums.trace_p;
    let tau2 = ((sums.q - df) / c).max(0.0);
    let variance_q = 2.0 * df + 4.0 * tau2 * c + 2.0 * tau2 * tau2 * sums.trace_pp;
    Tau2 { tau2, se: libm::sqrt(variance_q) / c }
}
