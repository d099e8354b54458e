//! Synthesis of proportions by the exact-binomial random-intercept logistic model.
//!
//! ```text
//! x_i ~ Bin(n_i, expit(mu + u_i)),   u_i ~ N(0, tau2)
//! ```
//!
//! by maximum likelihood. Unlike the logit-normal synthesis it needs no continuity correction: a
//! site with x = 0 or x = n is informative as it stands.
//!
//! For each τ the likelihood is log-concave in mu, which gives the profile; the sign of the profile's
//! derivative in τ is scanned over a grid and its changes are solved by Newton's method, within a bracket
//! where it strays, the highest maximum being the estimate. The integrals are taken by adaptive Gauss–Hermite quadrature,
//! with 7 nodes on the grid and 25 at a maximum, the derivatives as posterior expectations over the same
//! nodes. The error of mu is that of the joint information of mu and τ.
//!
//! # References
//!
//! - T. H. Hamza, H. C. van Houwelingen, T. Stijnen (2008). J. Clin. Epidemiol. 61, 41–51.
//! - T. Stijnen, T. H. Hamza, P. Özdemir (2010). Stat. Med. 29, 3046–3067.
//! - J. C. Pinheiro, D. M. Bates (1995). J. Comput. Graph. Stat. 4, 12–35 (the quadrature).
//! - T. A. Louis (1982). J. R. Stat. Soc. B 44, 226–233 (the information).

#![expect(
    clippy::inline_always,
    reason = "what is not inlined into the sum over sites is not compiled for the width it dispatches to"
)]

mod bracket;
mod elementary;
mod fit;
mod hermite;
mod likelihood;
mod mode;
mod profile;
mod site;

pub use fit::fit;

use crate::NotEstimable;
use crate::predictive::Predictive;

/// A fitted binomial model; `mu`, its error and limits are log-odds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinomialGlmm {
    /// Number of sites.
    pub k: usize,
    /// The mean log-odds over the population of sites. Its expit is the proportion at the median
    /// site, not the mean proportion.
    pub mu: f64,
    /// Its standard error.
    pub se_mu: f64,
    /// Between-site variance of the log-odds.
    pub tau2: f64,
    /// Lower confidence limit of `mu`, by t with k − 1 degrees of freedom.
    pub ci_lower: f64,
    /// Upper confidence limit of `mu`.
    pub ci_upper: f64,
    /// The name of the method: `binomial_glmm_ml`.
    pub method: &'static str,
}

impl BinomialGlmm {
    /// The interval in which the true log-odds of a new site lies with probability `level`:
    /// `mu ∓ t_{k−2} √(τ² + se²)`.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::TooFewSites`] below three sites, [`NotEstimable::LevelOutOfRange`].
    pub fn prediction_interval(&self, level: f64) -> Result<(f64, f64), NotEstimable> {
        self.predictive()?.interval(level)
    }

    /// The probability that the true log-odds of a new site is at least `limit_on_scale` (for a
    /// sensitivity of 0.9: logit 0.9).
    ///
    /// # Errors
    ///
    /// [`NotEstimable::TooFewSites`] below three sites; [`NotEstimable::InvalidInput`] for a limit
    /// that is not finite.
    pub fn probability_new_site_at_least(&self, limit_on_scale: f64) -> Result<f64, NotEstimable> {
        self.predictive()?.probability_at_least(limit_on_scale)
    }

    fn predictive(&self) -> Result<Predictive, NotEstimable> {
        Predictive::new(self.mu, self.tau2, self.se_mu, self.k, 2)
    }
}
