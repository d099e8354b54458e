//! Calibration: lines, summary measures, a smooth curve.

use fedval_stats::calibration::{self, CalibrationCase, Covariance};
use fedval_stats::{Interval, NotEstimable};
use serde_json::{Value, json};

use super::columns::{calibration_cases, count_true};
use crate::input::{Input, Malformed};
use crate::output::{cell, ends, joined};

/// The level of the cases, none of which names one.
const LEVEL: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let (p, events) = (input.at("prob")?.numbers()?, input.at("y")?.flags()?);
    let cases = calibration_cases(&p, &events, input.at("clip_eps_for_logit")?.number()?);
    let rows: Vec<_> = p.iter().copied().zip(events.iter().copied()).collect();
    let overall = overall(&rows, count_true(&events));
    let table = table(&rows, input.at("ece_bins")?.size()?);
    Ok(joined(joined(joined(lines(&cases), overall), table), curve(&rows)))
}

fn overall(rows: &[(f64, bool)], events: u64) -> Value {
    let n = rows.len() as u64;
    let expected: f64 = rows.iter().map(|(p, _)| p).sum();
    let log_oe = calibration::log_oe(events, expected, n);
    let oe = log_oe.map(|(ratio, _)| ratio.exp()).or_else(|reason| match reason {
        // Without events the ratio is 0; only its logarithm does not exist.
        NotEstimable::NoEvents if expected > 0.0 => Ok(0.0),
        reason => Err(reason),
    });
    let ratio = log_oe.and_then(|(ratio, se)| Interval::wald(ratio, se, LEVEL));
    let spiegelhalter = calibration::spiegelhalter(rows);
    json!({
        "n": n,
        "events": events,
        "expected": expected,
        "oe": cell(oe),
        "log_oe": cell(log_oe.map(|(ratio, _)| ratio)),
        "se_log_oe": cell(log_oe.map(|(_, se)| se)),
        "ci_oe": ends(ratio.map(|ratio| ratio.map_increasing(f64::exp))),
        "brier": cell(calibration::brier_score(rows)),
        "brier_scaled": cell(calibration::brier_scaled(rows)),
        "spiegelhalter_z": cell(spiegelhalter.map(|test| test.z)),
        "spiegelhalter_p": cell(spiegelhalter.map(|test| test.p)),
    })
}

fn table(rows: &[(f64, bool)], bins: usize) -> Value {
    let table = calibration::bin_table(rows, bins).unwrap_or_default();
    let table: Vec<_> = table
        .iter()
        .map(|bin| json!({"n": bin.n, "sum_p": bin.sum_p, "events": bin.events}))
        .collect();
    json!({
        "ece_equal_width": cell(calibration::ece(rows, bins)),
        "mce_equal_width": cell(calibration::mce(rows, bins)),
        "bin_table": table,
    })
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

fn lines(cases: &[CalibrationCase]) -> Value {
    let line = calibration::fit(cases, Covariance::ModelBased);
    let citl = calibration::citl(cases, Covariance::ModelBased);
    let slope = line.and_then(|l| Interval::wald(l.slope, l.covariance[1][1].sqrt(), LEVEL));
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
