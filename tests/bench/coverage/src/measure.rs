//! One scenario, many times over.

use fedval_stats::Interval;
use fedval_stats::auroc;
use fedval_stats::scale::logit;
use fedval_stats::synthesis::{RandomEffects, SiteEstimates, primary};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng as _;
use statrs::distribution::{ContinuousCDF as _, Normal};

use crate::Args;
use crate::cohort::{Report, Truth};
use crate::scenario::{AUC, Scenario};
use crate::tally::Tally;

const LEVEL: f64 = 0.95;

/// The coverage of every interval in one scenario.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    /// Of each site's AUROC.
    pub(crate) auroc: Tally,
    /// Of each site's sensitivity.
    pub(crate) sensitivity: Tally,
    /// Of the mean site's AUROC, by REML with Hartung–Knapp.
    pub(crate) pooled: Tally,
    /// The probability that a new site's AUROC lies in the prediction interval.
    pub(crate) prediction: Tally,
}

/// Simulates one scenario, whose random numbers no other shares.
pub(crate) fn run(scenario: &Scenario, args: &Args, place: usize) -> Measured {
    let stream = (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut rng = Pcg64Mcg::seed_from_u64(args.seed ^ stream);
    let mut measured = Measured::default();
    for _ in 0..args.replicates {
        round(scenario, &mut measured, &mut rng);
    }
    measured
}

fn round(scenario: &Scenario, measured: &mut Measured, rng: &mut Pcg64Mcg) {
    let holds = |interval: &Interval, truth: f64| {
        f64::from(u8::from((interval.lower..=interval.upper).contains(&truth)))
    };
    let (mut yi, mut vi) = (Vec::new(), Vec::new());
    for _ in 0..scenario.sites {
        let truth = Truth::draw(scenario, rng);
        let report: Report = truth.report(scenario, LEVEL, rng);
        measured.auroc.add(report.auroc_interval.ok().map(|i| holds(&i, truth.auc)));
        let sensitivity = report.sensitivity_interval.ok();
        measured.sensitivity.add(sensitivity.map(|i| holds(&i, truth.sensitivity)));
        if let Ok((y, se)) = report.auroc.and_then(|auroc| auroc::logit_scale(&auroc)) {
            yi.push(y);
            vi.push(se * se);
        }
    }
    let fit = SiteEstimates::new(yi, vi).ok().and_then(|sites| primary(&sites, LEVEL).ok());
    let mean = logit(AUC);
    let covers = |fit: &RandomEffects| (fit.ci_lower..=fit.ci_upper).contains(&mean);
    measured.pooled.add(fit.as_ref().map(|fit| f64::from(u8::from(covers(fit)))));
    let interval = fit.and_then(|fit| fit.prediction_interval(LEVEL).ok());
    measured.prediction.add(interval.map(|(low, high)| between(low, high, scenario.tau())));
}

/// The probability that a new site's logit AUROC lies between two limits.
fn between(low: f64, high: f64, tau: f64) -> f64 {
    let mean = logit(AUC);
    if tau <= 0.0 {
        return f64::from(u8::from((low..=high).contains(&mean)));
    }
    let standard = Normal::standard();
    standard.cdf((high - mean) / tau) - standard.cdf((low - mean) / tau)
}
