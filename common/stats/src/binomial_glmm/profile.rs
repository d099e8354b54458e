//! The ridge of the likelihood over τ, and what is told at a place on it.

use super::site::Derivatives;
use crate::NotEstimable;

/// The sign of the profile's slope is told where a step in mu of at most this size moves it by no more than
/// this part: what the step leaves is of second order in both.
const TELLING_STEP: f64 = 0.1;
const TELLING_PART: f64 = 0.25;

/// A place on the ridge over τ, or near it: where the likelihood at one τ is highest in mu.
#[derive(Clone, Copy)]
pub(super) struct Profile {
    pub(super) mu: f64,
    pub(super) tau: f64,
    pub(super) at: Derivatives,
}

impl Profile {
    /// How mu moves with τ along the ridge.
    pub(super) fn drift(&self) -> f64 {
        -self.at.mu_tau / self.at.mu_mu
    }

    /// The slope of the ridge in τ, allowing for what is left to go in mu.
    pub(super) fn score(&self) -> f64 {
        self.at.tau + self.drift() * self.at.mu
    }

    /// The slope of the profile score.
    pub(super) fn curvature(&self) -> f64 {
        self.at.tau_tau - self.at.mu_tau * self.at.mu_tau / self.at.mu_mu
    }

    /// Where the ridge is expected at a τ further up.
    pub(super) fn ahead(&self, by: f64) -> f64 {
        let ahead = self.mu - self.at.mu / self.at.mu_mu + self.drift() * by;
        if ahead.is_finite() { ahead } else { self.mu }
    }

    /// Whether this is near enough for the sign of the slope, a step in mu from the ridge.
    pub(super) fn tells(&self, step: f64) -> bool {
        step <= TELLING_STEP
            && (self.drift() * self.at.mu).abs() <= TELLING_PART * self.score().abs()
    }

    /// The standard error of mu from the joint observed information.
    pub(super) fn error(&self, tau: f64) -> Result<f64, NotEstimable> {
        let information = if tau > 0.0 {
            self.at.mu_tau * self.at.mu_tau / self.at.tau_tau - self.at.mu_mu
        } else {
            -self.at.mu_mu
        };
        let curved = tau <= 0.0 || self.at.tau_tau < 0.0;
        let se = 1.0 / libm::sqrt(information);
        if curved && se.is_finite() && se > 0.0 { Ok(se) } else { Err(NotEstimable::NotConverged) }
    }
}
