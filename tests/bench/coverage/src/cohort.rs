//! One site's cases: normal scores in both classes, apart by what its AUROC asks.

use fedval_stats::aggregate::{RankedCase, cluster_sums, rank_sums};
use fedval_stats::auroc::{self, Auroc};
use fedval_stats::proportion;
use fedval_stats::scale::{expit, logit};
use fedval_stats::{Interval, NotEstimable};
use rand_distr::{Distribution as _, StandardNormal};
use rand_pcg::Pcg64Mcg;
use statrs::distribution::{ContinuousCDF as _, Normal};

use crate::scenario::{AUC, IMAGES, SENSITIVITY, Scenario, WITHIN_PATIENT};

/// Steps of a score in one standard deviation: fine enough to leave no ties.
const STEPS: f64 = 1e9;

/// A site as it truly is.
pub(crate) struct Truth {
    pub(crate) auc: f64,
    pub(crate) sensitivity: f64,
    /// Standard deviations between the classes.
    apart: f64,
    /// The score from which a case is called: the mean site's sensitivity there is [`SENSITIVITY`].
    threshold: f64,
}

/// What it reports.
pub(crate) struct Report {
    pub(crate) auroc: Result<Auroc, NotEstimable>,
    pub(crate) auroc_interval: Result<Interval, NotEstimable>,
    pub(crate) sensitivity_interval: Result<Interval, NotEstimable>,
}

impl Truth {
    /// A site whose AUROC lies `tau · normal` from the mean one's, on the logit scale.
    pub(crate) fn draw(scenario: &Scenario, rng: &mut Pcg64Mcg) -> Self {
        let auc = expit(logit(AUC) + scenario.tau() * normal(rng));
        let standard = Normal::standard();
        let apart = |auc: f64| std::f64::consts::SQRT_2 * standard.inverse_cdf(auc);
        let threshold = apart(AUC) - standard.inverse_cdf(SENSITIVITY);
        let sensitivity = standard.cdf(apart(auc) - threshold);
        Self { auc, sensitivity, apart: apart(auc), threshold }
    }

    pub(crate) fn report(&self, scenario: &Scenario, level: f64, rng: &mut Pcg64Mcg) -> Report {
        let images = if scenario.clustered { IMAGES } else { 1 };
        let mut cases = Vec::new();
        let mut called = Vec::new();
        for patient in 0..scenario.patients {
            let positive = patient < scenario.positives;
            let shared = normal(rng);
            for _ in 0..images {
                let noise = if scenario.clustered {
                    WITHIN_PATIENT.sqrt() * shared + (1.0 - WITHIN_PATIENT).sqrt() * normal(rng)
                } else {
                    shared
                };
                let score = noise + if positive { self.apart } else { 0.0 };
                cases.push(RankedCase { rank_key: steps(score), positive, cluster: patient });
                if positive {
                    called.push((patient, u64::from(score >= self.threshold)));
                }
            }
        }
        Self::estimate(scenario, &cases, &called, level)
    }

    fn estimate(
        scenario: &Scenario,
        cases: &[RankedCase],
        called: &[(u32, u64)],
        level: f64,
    ) -> Report {
        let (ranks, clusters) = rank_sums(cases);
        let clusters = scenario.clustered.then_some(&clusters);
        let auroc = match clusters {
            Some(clusters) => auroc::clustered(&ranks, clusters),
            None => auroc::delong(&ranks),
        };
        let sensitivity_interval = if scenario.clustered {
            proportion::clustered_interval(&cluster_sums(called.iter().copied()), level)
        } else {
            let right = called.iter().map(|(_, right)| right).sum();
            proportion::wilson(right, called.len() as u64, level)
        };
        Report {
            auroc,
            auroc_interval: auroc::interval(&ranks, clusters, level).map(|(interval, _)| interval),
            sensitivity_interval,
        }
    }
}

fn normal(rng: &mut Pcg64Mcg) -> f64 {
    StandardNormal.sample(rng)
}

#[expect(clippy::cast_possible_truncation, reason = "scores lie within ±10")]
fn steps(score: f64) -> i64 {
    (score * STEPS).round() as i64
}
