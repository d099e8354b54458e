//! The between-site variance τ², by the estimator of choice.

use super::SiteEstimates;
use super::dersimonian_laird::dersimonian_laird;
use super::paule_mandel::paule_mandel;
use super::reml::reml;
use crate::NotEstimable;

/// How the between-site variance is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tau2Method {
    /// Restricted maximum likelihood: the primary estimator.
    Reml,
    /// The moment estimator of DerSimonian and Laird.
    DerSimonianLaird,
    /// The moment estimator of Paule and Mandel ("empirical Bayes").
    PauleMandel,
}

/// An estimate of τ² with its asymptotic standard error, both in squared units of the scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tau2 {
    /// Not negative.
    pub(super) tau2: f64,
    /// Standard error.
    pub(super) se: f64,
}

/// Estimates τ² of at least two sites.
pub(super) fn estimate(sites: &SiteEstimates, method: Tau2Method) -> Result<Tau2, NotEstimable> {
    if sites.k() < 2 {
        return Err(NotEstimable::TooFewSites { k: sites.k(), needed: 2 });
    }
    match method {
        Tau2Method::Reml => reml(sites),
        Tau2Method::DerSimonianLaird => Ok(dersimonian_laird(sites)),
        Tau2Method::PauleMandel => paule_mandel(sites),
    }
}

/// τ² alone, for other models to begin from.
pub(crate) fn tau2_of(sites: &SiteEstimates, method: Tau2Method) -> Result<f64, NotEstimable> {
    Ok(estimate(sites, method)?.tau2)
}
