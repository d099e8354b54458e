//! The exact-binomial random-effects model, for proportions with an empty error cell.

use fedval_stats::NotEstimable;
use fedval_stats::binomial_glmm::{self, BinomialGlmm};

use super::synthesis::{Fit, Refit};
use crate::report::Reason;

/// Successes and cases, in order of site ids.
pub(super) struct Binomial {
    counts: Vec<(u64, u64)>,
    level: f64,
}

impl Binomial {
    pub(super) const fn new(counts: Vec<(u64, u64)>, level: f64) -> Self {
        Self { counts, level }
    }

    /// The row.
    pub(super) fn primary(&self) -> Result<Fit, NotEstimable> {
        binomial_glmm::fit(&self.counts, self.level).map(|row| fit(row, self.level))
    }

    /// The row without each site in turn.
    pub(super) fn leave_one_out(&self) -> Vec<Refit> {
        (0..self.counts.len())
            .map(|left_out| {
                let rest: Vec<_> = self
                    .counts
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| *index != left_out)
                    .map(|(_, counts)| *counts)
                    .collect();
                let row = binomial_glmm::fit(&rest, self.level).map_err(Reason::from)?;
                Ok((row.mu, [row.ci_lower, row.ci_upper], row.tau2))
            })
            .collect()
    }
}

fn fit(row: BinomialGlmm, level: f64) -> Fit {
    let prediction = row.prediction_interval(level).map(|(lower, upper)| [lower, upper]);
    Fit {
        method: row.method,
        mu: row.mu,
        se: row.se_mu,
        ci: [row.ci_lower, row.ci_upper],
        tau2: row.tau2,
        prediction: prediction.map_err(Into::into),
        // The likelihood is not a weighted mean: sites have no weights, and Q belongs to the other
        // model.
        weights: None,
        heterogeneity: None,
        at_least: Box::new(move |limit| {
            row.probability_new_site_at_least(limit).map_err(Into::into)
        }),
    }
}
