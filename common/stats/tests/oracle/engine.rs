//! Estimates in the shape of the oracles' `expected`.
//!
//! A reason becomes `"NaN"`, which is how the oracles say "not estimable".

use fedval_stats::aggregate::{RankedCase, cluster_sums, rank_sums};
use fedval_stats::calibration::{self, CalibrationCase, Covariance};
use fedval_stats::scale::{expit, logit};
use fedval_stats::{Interval, NotEstimable, auroc, proportion};
use serde_json::{Value, json};

/// A list of numbers of an input.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// A list of counts of an input.
pub(crate) fn counts(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect()
}

/// A number, or "NaN" in the place of a reason.
pub(crate) fn cell(number: Result<f64, NotEstimable>) -> Value {
    number.map_or_else(|_| json!("NaN"), Value::from)
}

/// Two limits, or two "NaN" in the place of a reason.
pub(crate) fn limits(interval: Result<(f64, f64), NotEstimable>) -> Value {
    interval.map_or_else(|_| json!(["NaN", "NaN"]), |(lower, upper)| json!([lower, upper]))
}

fn ends(interval: Result<Interval, NotEstimable>) -> Value {
    limits(interval.map(|interval| (interval.lower, interval.upper)))
}

/// Cases as rank statistics see them: scores become dense ranks.
pub(crate) fn ranked(scores: &[f64], labels: &[u64], clusters: Option<&[u64]>) -> Vec<RankedCase> {
    let mut distinct = scores.to_vec();
    distinct.sort_by(f64::total_cmp);
    let rank = |score: &f64| distinct.partition_point(|other| other < score);
    scores
        .iter()
        .zip(labels)
        .enumerate()
        .map(|(index, (score, &label))| RankedCase {
            rank_key: i64::try_from(rank(score)).unwrap(),
            positive: label == 1,
            cluster: clusters
                .map_or_else(|| u32::try_from(index), |clusters| u32::try_from(clusters[index]))
                .unwrap(),
        })
        .collect()
}

/// Topic `auc_delong`.
pub(crate) fn auc_delong(input: &Value) -> Value {
    let level = input["level"].as_f64().unwrap();
    let (scores, labels) = (numbers(&input["score"]), counts(&input["label"]));
    let (sums, _) = rank_sums(&ranked(&scores, &labels, None));
    let area = auroc::auc_of(&sums);
    let estimate = auroc::delong(&sums);
    let logit_area = match area {
        Ok(area) if area >= 1.0 => json!("Infinity"),
        Ok(area) if area <= 0.0 => json!("-Infinity"),
        area => cell(area.map(logit)),
    };
    json!({
        "n_pos": sums.n_pos,
        "n_neg": sums.n_neg,
        "auc": cell(area),
        "mann_whitney_u": sums.doubled_u as f64 / 2.0,
        "s10": cell(auroc::positive_component(&sums)),
        "s01": cell(auroc::negative_component(&sums)),
        "delong_var": cell(estimate.map(|auroc| auroc.variance)),
        "delong_se": cell(estimate.map(|auroc| auroc.se)),
        "ci_wald_clipped": ends(estimate.and_then(|a| auroc::wald_interval_clipped(&a, level))),
        "logit_auc": logit_area,
        "logit_se": cell(estimate.and_then(|auroc| auroc.logit_se())),
        "ci_logit": ends(estimate.and_then(|auroc| auroc::logit_interval(&auroc, level))),
        "ci_newcombe5": ends(
            area.and_then(|area| auroc::newcombe5(area, sums.n_pos, sums.n_neg, level)),
        ),
        "hanley_mcneil_se": cell(
            area.and_then(|area| auroc::hanley_mcneil_se(area, sums.n_pos, sums.n_neg)),
        ),
    })
}

/// Topic `auc_clustered`.
pub(crate) fn auc_clustered(input: &Value) -> Value {
    let (scores, labels) = (numbers(&input["score"]), counts(&input["label"]));
    let cases = ranked(&scores, &labels, Some(&counts(&input["cluster"])));
    let (sums, clusters) = rank_sums(&cases);
    let estimate = auroc::clustered(&sums, &clusters);
    let components = auroc::cluster_components(&sums, &clusters);
    json!({
        "n_pos": sums.n_pos,
        "n_neg": sums.n_neg,
        "clusters": clusters.clusters,
        "clusters_pos": clusters.clusters_pos,
        "clusters_neg": clusters.clusters_neg,
        "auc": cell(auroc::auc_of(&sums)),
        "s10": cell(components.map(|components| components.s10)),
        "s01": cell(components.map(|components| components.s01)),
        "s11": cell(components.map(|components| components.s11)),
        "var": cell(components.map(|components| components.variance)),
        "se": cell(estimate.map(|auroc| auroc.se)),
        "naive_delong_se": cell(auroc::delong(&sums).map(|auroc| auroc.se)),
    })
}

/// Topic `binomial_clustered`.
pub(crate) fn binomial_clustered(input: &Value) -> Value {
    let (successes, cases) = (counts(&input["successes"]), counts(&input["cases"]));
    let rows = successes
        .iter()
        .zip(&cases)
        .zip(0_u32..)
        .flat_map(|((&x, &m), cluster)| (0..m).map(move |case| (cluster, u64::from(case < x))));
    let sums = cluster_sums(rows);
    let estimate = proportion::clustered(&sums);
    json!({
        "clusters": sums.clusters,
        "cases": sums.size,
        "proportion": cell(estimate.map(|p| p.proportion)),
        "var": cell(estimate.map(|p| p.variance)),
        "se": cell(estimate.map(|p| p.se)),
        "naive_se": cell(estimate.map(|p| p.naive_se)),
        "design_effect": cell(
            estimate.and_then(|p| p.design_effect.ok_or(NotEstimable::ZeroVariance)),
        ),
    })
}

/// Topic `binomial_ci`.
pub(crate) fn binomial_ci(input: &Value) -> Value {
    let row = |row: &Value| {
        let (x, n) = (row["x"].as_u64().unwrap(), row["n"].as_u64().unwrap());
        let level = row["level"].as_f64().unwrap();
        json!({
            "x": x,
            "n": n,
            "level": level,
            "estimate": cell(proportion::estimate(x, n)),
            "wilson": ends(proportion::wilson(x, n, level)),
            "clopper_pearson": ends(proportion::clopper_pearson(x, n, level)),
            "jeffreys": ends(proportion::jeffreys(x, n, level)),
        })
    };
    json!({"rows": input["rows"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()})
}

/// Cases as calibration models see them; probabilities are clipped for the logit alone.
pub(crate) fn calibration_cases(
    probabilities: &[f64],
    labels: &[u64],
    clip: f64,
) -> Vec<CalibrationCase> {
    let cases = probabilities.iter().zip(labels).zip(0_u32..);
    cases
        .map(|((p, &label), cluster)| CalibrationCase {
            logit: logit(p.clamp(clip, 1.0 - clip)),
            event: label == 1,
            cluster,
        })
        .collect()
}

/// Topic `calibration`.
pub(crate) fn calibration(input: &Value) -> Value {
    let (p, y) = (numbers(&input["prob"]), counts(&input["y"]));
    let cases = calibration_cases(&p, &y, input["clip_eps_for_logit"].as_f64().unwrap());
    let rows: Vec<_> = p.iter().zip(&y).map(|(&p, &y)| (p, y == 1)).collect();
    let bins = usize::try_from(input["ece_bins"].as_u64().unwrap()).unwrap();
    let (n, events) = (y.len() as u64, y.iter().sum::<u64>());
    let expected: f64 = p.iter().sum();
    let mut result = lines(&cases);
    let log_oe = calibration::log_oe(events, expected, n);
    let ratio = log_oe.and_then(|(ratio, se)| Interval::wald(ratio, se, 0.95));
    let spiegelhalter = calibration::spiegelhalter(&rows);
    let table: Vec<_> = calibration::bin_table(&rows, bins)
        .unwrap()
        .iter()
        .map(|bin| json!({"n": bin.n, "sum_p": bin.sum_p, "events": bin.events}))
        .collect();
    let rest = json!({
        "n": n,
        "events": events,
        "expected": expected,
        "oe": events as f64 / expected,
        "log_oe": cell(log_oe.map(|(ratio, _)| ratio)),
        "se_log_oe": cell(log_oe.map(|(_, se)| se)),
        "ci_oe": ends(ratio.map(|ratio| ratio.map_increasing(exp))),
        "brier": cell(calibration::brier_score(&rows)),
        "brier_scaled": cell(calibration::brier_scaled(&rows)),
        "ece_equal_width": cell(calibration::ece(&rows, bins)),
        "mce_equal_width": cell(calibration::mce(&rows, bins)),
        "bin_table": table,
        "spiegelhalter_z": cell(spiegelhalter.map(|test| test.z)),
        "spiegelhalter_p": cell(spiegelhalter.map(|test| test.p)),
    });
    let fields = result.as_object_mut().unwrap();
    fields.extend(rest.as_object().unwrap().clone());
    fields.extend(curve(&rows).as_object().unwrap().clone());
    result
}

fn curve(rows: &[(f64, bool)]) -> Value {
    let smooth = calibration::ici_loess(rows);
    json!({
        "ici_loess": cell(smooth.map(|smooth| smooth.ici)),
        "e50_loess": cell(smooth.map(|smooth| smooth.e50)),
        "e90_loess": cell(smooth.map(|smooth| smooth.e90)),
        "emax_loess": cell(smooth.map(|smooth| smooth.emax)),
    })
}

fn exp(x: f64) -> f64 {
    x.exp()
}

fn lines(cases: &[CalibrationCase]) -> Value {
    let line = calibration::fit(cases, Covariance::ModelBased);
    let citl = calibration::citl(cases, Covariance::ModelBased);
    let slope = line.and_then(|l| Interval::wald(l.slope, l.covariance[1][1].sqrt(), 0.95));
    let test = calibration::recalibration_test(cases);
    json!({
        "intercept": cell(line.map(|line| line.intercept)),
        "slope": cell(line.map(|line| line.slope)),
        "se_intercept": cell(line.map(|line| line.covariance[0][0].sqrt())),
        "se_slope": cell(line.map(|line| line.covariance[1][1].sqrt())),
        "cov_int_slope": cell(line.map(|line| line.covariance[0][1])),
        "ci_slope": ends(slope),
        "citl": cell(citl.map(|citl| citl.citl)),
        "se_citl": cell(citl.map(|citl| citl.se)),
        "recalibration_lr_chisq2": cell(test.map(|test| test.chi_square)),
        "recalibration_lr_p": cell(test.map(|test| test.p)),
        "log_loss": cell(calibration::log_loss(cases)),
    })
}

/// The back-transformation that the e2e and synthesis cases name.
pub(crate) fn back_transformation(scale: &str) -> Option<fn(f64) -> f64> {
    if scale.starts_with("logit") {
        Some(expit)
    } else if scale.starts_with("log ") {
        Some(exp)
    } else {
        None
    }
}
