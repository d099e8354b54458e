//! The same cases, perturbed.

use fedval_stats::aggregate::{Moments, joint_rank_sums};
use fedval_stats::auroc::{auc_of, paired_difference};
use fedval_stats::robustness::{Flips, severity_slope};
use serde_json::{Value, json};

use super::columns::rank_keys;
use crate::input::{Input, Malformed};
use crate::output::{cell, ends};

const LEVEL: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let (positive, clean) = (input.at("y")?.flags()?, input.at("baseline")?.numbers()?);
    let threshold = input.at("threshold")?.number()?;
    let (mut rows, mut trend) = (Vec::new(), Vec::new());
    let mut worst = f64::INFINITY;
    let mut base = json!(null);
    for perturbed in input.at("perturbed")?.list()? {
        let scores = perturbed.at("score")?.numbers()?;
        let severity = perturbed.at("severity")?.number()?;
        // The perturbed run first: the change is what it adds.
        let keys = [rank_keys(&scores), rank_keys(&clean)];
        let sums = perturbed.accept(joint_rank_sums(&keys, &positive))?;
        let area = |test: usize| {
            let sums = sums.of_one(test).ok_or(fedval_stats::NotEstimable::EmptyInput)?;
            auc_of(&sums)
        };
        let change = paired_difference(&sums, 0, 1);
        let pairs = clean.iter().zip(&scores);
        let flips = Flips::of(pairs.clone().map(|(a, b)| (*a >= threshold, *b >= threshold)));
        let moved = Moments::of(pairs.map(|(a, b)| (b - a).abs())).and_then(|moved| moved.mean());
        // One case of a class has an area and no error.
        let difference = area(0).and_then(|perturbed| Ok(perturbed - area(1)?));
        if let Ok(difference) = difference {
            trend.push((severity, difference));
            worst = worst.min(difference);
        }
        base = cell(area(1));
        rows.push(json!({
            "perturbation": perturbed.at("name")?.text()?,
            "severity": perturbed.at("severity")?.raw(),
            "auc": cell(area(0)),
            "delta_auc": cell(difference),
            "se_delta": cell(change.map(|change| change.se)),
            "ci_delta": ends(change.and_then(|change| change.interval(LEVEL))),
            "flips": flips.flips,
            "flip_rate": cell(flips.share()),
            "mean_abs_score_change": cell(moved),
        }));
    }
    Ok(json!({
        "baseline_auc": base,
        "rows": rows,
        "delta_auc_slope_through_origin": cell(severity_slope(&trend)),
        "worst_delta": if trend.is_empty() { json!("NaN") } else { json!(worst) },
    }))
}
