//! The normal random-effects model: REML with Hartung–Knapp, and its sensitivity analyses.

use fedval_stats::NotEstimable;
use fedval_stats::synthesis::{
    Influence, QProfile, RandomEffects, SiteEstimates, Tau2Method, Test, influence, leave_one_out,
    primary, q_profile, random_effects,
};

use super::synthesis::{Fit, Heterogeneity, Refit};
use crate::report::{InfluenceMeasures, Reason};

/// Contributions on the analysis scale, in order of site ids.
pub(super) struct Normal {
    estimates: SiteEstimates,
    level: f64,
}

impl Normal {
    /// # Errors
    ///
    /// [`Reason::TooFewSites`] below two contributions.
    pub(super) fn new(contributions: &[(f64, f64)], level: f64) -> Result<Self, Reason> {
        if contributions.len() < 2 {
            return Err(Reason::TooFewSites);
        }
        let (yi, vi) = contributions.iter().map(|(y, se)| (*y, se * se)).unzip();
        let estimates = SiteEstimates::new(yi, vi).map_err(|_| Reason::InvalidInput)?;
        Ok(Self { estimates, level })
    }

    /// The primary row.
    pub(super) fn primary(&self) -> Result<Fit, NotEstimable> {
        primary(&self.estimates, self.level).map(|row| {
            let limits = q_profile(&self.estimates, self.level);
            fit(&row, self.level, limits)
        })
    }

    /// The same contributions under the moment estimators of τ².
    pub(super) fn other_estimators(&self) -> Vec<(&'static str, Result<Fit, NotEstimable>)> {
        [
            ("paule_mandel_hartung_knapp", Tau2Method::PauleMandel),
            ("dersimonian_laird_hartung_knapp", Tau2Method::DerSimonianLaird),
        ]
        .into_iter()
        .map(|(name, method)| {
            let row = random_effects(&self.estimates, method, Test::HartungKnapp, self.level);
            (name, row.map(|row| fit(&row, self.level, Err(NotEstimable::NotConverged))))
        })
        .collect()
    }

    /// How much each site moves the mean.
    pub(super) fn influence(&self) -> Vec<Result<InfluenceMeasures, Reason>> {
        let Ok(all) = influence(&self.estimates) else { return Vec::new() };
        let measures = |of: Influence| InfluenceMeasures {
            studentised_residual: of.studentised_residual,
            dffits: of.dffits,
            cooks_distance: of.cooks_distance,
            covariance_ratio: of.covariance_ratio,
        };
        all.into_iter().map(|of| of.map(measures).map_err(Reason::from)).collect()
    }

    /// The primary row without each site in turn.
    pub(super) fn leave_one_out(&self) -> Vec<Refit> {
        leave_one_out(&self.estimates, self.level)
            .into_iter()
            .map(|refit| {
                refit
                    .map(|row| (row.mu, [row.ci_lower, row.ci_upper], row.tau2))
                    .map_err(Into::into)
            })
            .collect()
    }
}

fn fit(row: &RandomEffects, level: f64, limits: Result<QProfile, NotEstimable>) -> Fit {
    let prediction = row.prediction_interval(level).map(|(lower, upper)| [lower, upper]);
    let at_least = row.clone();
    Fit {
        method: row.method,
        mu: row.mu,
        se: row.se_mu,
        ci: [row.ci_lower, row.ci_upper],
        tau2: row.tau2,
        prediction: prediction.map_err(Into::into),
        weights: Some(row.weights.clone()),
        heterogeneity: Some(Heterogeneity {
            q: row.q,
            q_p: row.q_p,
            i2_from_tau2: row.i2_from_tau2,
            i2_from_q: row.i2_from_q,
            tau2_ci: limits
                .map(|limits| [limits.tau2_lower, limits.tau2_upper])
                .map_err(Into::into),
        }),
        at_least: Box::new(move |limit| {
            at_least.probability_new_site_at_least(limit).map_err(Into::into)
        }),
    }
}
