//! Per-site estimates and the three pools of the end-to-end case.
//!
//! The case's bivariate model and subgroup tables belong to other crates and are left out.

use fedval_stats::aggregate::rank_sums;
use fedval_stats::calibration::{self, Covariance};
use fedval_stats::synthesis::{SiteEstimates, Tau2Method, Test, random_effects};
use fedval_stats::{NotEstimable, auroc, proportion};
use serde_json::{Value, json};

use super::engine::{back_transformation, calibration_cases, cell, counts, numbers, ranked};

/// The clip of the case's script.
const CLIP: f64 = 1e-6;

/// `(estimate, se)` of one site for one pool.
type Contribution = Result<(f64, f64), NotEstimable>;

/// The comparable part of `expected`, and what this engine makes of the input.
pub(crate) fn sites_and_pools(case: &Value) -> (Value, Value) {
    let threshold = case["input"]["threshold"].as_f64().unwrap();
    let sites = case["input"]["sites"].as_array().unwrap();
    let rows: Vec<_> = sites.iter().map(|site| one_site(site, threshold)).collect();
    let pool = |index: usize, scale: &str| {
        let contributions: Vec<_> = rows.iter().map(|(_, pools)| pools[index]).collect();
        pooled(&contributions, scale)
    };
    let got = json!({
        "per_site": rows.iter().map(|(row, _)| row).collect::<Vec<_>>(),
        "auc": pool(0, "logit"),
        "oe": pool(1, "log "),
        "slope": pool(2, "identity"),
    });
    let mut expected = case["expected"].clone();
    let fields = expected.as_object_mut().unwrap();
    fields.retain(|key, _| ["per_site", "auc", "oe", "slope"].contains(&key.as_str()));
    for name in ["auc", "oe", "slope"] {
        fields[name].as_object_mut().unwrap().remove("sites");
    }
    (expected, got)
}

fn one_site(site: &Value, threshold: f64) -> (Value, [Contribution; 3]) {
    let (p, y) = (numbers(&site["p"]), counts(&site["y"]));
    let rows: Vec<_> = p.iter().zip(&y).map(|(&p, &y)| (p, y == 1)).collect();
    let called =
        |event: bool| rows.iter().filter(|row| row.1 == event && row.0 >= threshold).count() as u64;
    let (sums, _) = rank_sums(&ranked(&p, &y, None));
    let (tp, fp) = (called(true), called(false));
    let (fn_, tn) = (sums.n_pos - tp, sums.n_neg - fp);
    let wilson = |x: u64, n: u64| {
        let interval = proportion::wilson(x, n, 0.95).unwrap();
        json!([interval.lower, interval.upper])
    };
    let expected: f64 = p.iter().sum();
    let auroc = auroc::delong(&sums);
    let line = calibration::fit(&calibration_cases(&p, &y, CLIP), Covariance::ModelBased);
    let slope = line.map(|line| (line.slope, line.covariance[1][1].sqrt()));
    let row = json!({
        "site": site["site"],
        "n_pos": sums.n_pos, "n_neg": sums.n_neg,
        "TP": tp, "FN": fn_, "FP": fp, "TN": tn,
        "sens": cell(proportion::estimate(tp, sums.n_pos)),
        "spec": cell(proportion::estimate(tn, sums.n_neg)),
        "ci_sens": wilson(tp, sums.n_pos),
        "ci_spec": wilson(tn, sums.n_neg),
        "oe": sums.n_pos as f64 / expected,
        "brier": cell(calibration::brier_score(&rows)),
        "auc": cell(auroc.map(|auroc| auroc.auc)),
        "delong_var": cell(auroc.map(|auroc| auroc.variance)),
        "cal_intercept": cell(line.map(|line| line.intercept)),
        "cal_slope": cell(slope.map(|(slope, _)| slope)),
        "cal_slope_se": cell(slope.map(|(_, se)| se)),
    });
    let ratio = calibration::log_oe(sums.n_pos, expected, sums.n_pos + sums.n_neg);
    (row, [auroc.and_then(|auroc| auroc::logit_scale(&auroc)), ratio, slope])
}

/// REML with plain Hartung–Knapp over the sites that have an estimate.
fn pooled(contributions: &[Contribution], scale: &str) -> Value {
    let (yi, vi) = contributions.iter().flatten().map(|(y, se)| (*y, se * se)).unzip();
    let sites = SiteEstimates::new(yi, vi).unwrap();
    let fit = random_effects(&sites, Tau2Method::Reml, Test::HartungKnapp, 0.95).unwrap();
    let (lower, upper) = fit.prediction_interval(0.95).unwrap();
    let back = back_transformation(scale).unwrap_or(|x| x);
    json!({
        "k": fit.k,
        "estimate": fit.mu,
        "se": fit.se_mu,
        "tau2": fit.tau2,
        "I2_percent": 100.0 * fit.i2_from_tau2,
        "Q": fit.q,
        "Q_p": fit.q_p,
        "back": back(fit.mu),
        "back_ci": [back(fit.ci_lower), back(fit.ci_upper)],
        "back_pi": [back(lower), back(upper)],
    })
}
