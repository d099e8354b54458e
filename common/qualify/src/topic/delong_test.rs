//! Two AUROCs beside each other.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::{joint_rank_sums, rank_sums};
use fedval_stats::auroc::{
    Auroc, AurocDifference, delong, joint_delong, paired_difference, unpaired_difference,
    welch_test,
};
use serde_json::{Value, json};

use super::columns::{rank_keys, ranked, rows_of};
use crate::input::{Input, Malformed};
use crate::output::{cell, ends, joined};

/// Non-inferiority is shown at a one-sided 0.025.
const ONE_SIDED: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let (difference, answer) =
        if input.at("paired")?.flag()? { paired(input)? } else { unpaired(input)? };
    let Some(margin) = input.find("margin") else { return Ok(answer) };
    let shown = non_inferiority(difference, margin.number()?);
    Ok(joined(answer, json!({"noninferiority": shown})))
}

type Difference = Result<AurocDifference, NotEstimable>;

fn paired(input: &Input<'_>) -> Result<(Difference, Value), Malformed> {
    let (level, positive) = (input.at("level")?.number()?, input.at("label")?.flags()?);
    let keys = [input.at("score1")?.numbers()?, input.at("score2")?.numbers()?]
        .map(|scores| rank_keys(&scores));
    let sums = input.at("label")?.accept(joint_rank_sums(&keys, &positive))?;
    let difference = paired_difference(&sums, 0, 1);
    let joint = joint_delong(&sums);
    let at = |part: &dyn Fn(&fedval_stats::auroc::JointAuroc) -> f64| {
        cell(joint.as_ref().map(part).map_err(|reason| *reason))
    };
    let table = |part: fn(&fedval_stats::auroc::JointAuroc) -> &ndarray::Array2<f64>| {
        joint.as_ref().map_or(Value::Null, |joint| rows_of(part(joint)))
    };
    let answer = json!({
        "auc1": at(&|joint| joint.auc[0]),
        "auc2": at(&|joint| joint.auc[1]),
        "diff": cell(difference.map(|d| d.difference)),
        "var1": at(&|joint| joint.covariance[[0, 0]]),
        "var2": at(&|joint| joint.covariance[[1, 1]]),
        "cov12": at(&|joint| joint.covariance[[0, 1]]),
        "se_diff": cell(difference.map(|d| d.se)),
        "z": cell(difference.and_then(|d| d.z())),
        "p_two_sided": cell(difference.and_then(|d| d.p())),
        "ci_diff": ends(difference.and_then(|d| d.interval(level))),
        "s10": table(|joint| &joint.s10),
        "s01": table(|joint| &joint.s01),
    });
    Ok((difference, answer))
}

fn unpaired(input: &Input<'_>) -> Result<(Difference, Value), Malformed> {
    let level = input.at("level")?.number()?;
    let cohort = |scores: &str, labels: &str| {
        let labels = input.find(labels).map_or_else(|| input.at("label"), Ok)?;
        let cases = ranked(&input.at(scores)?.numbers()?, &labels.flags()?, None);
        Ok(rank_sums(&cases).0)
    };
    let (sums1, sums2) = (cohort("score1", "label")?, cohort("score2", "label2")?);
    let (first, second) = (delong(&sums1), delong(&sums2));
    let both = first.and_then(|first| second.map(|second| (first, second)));
    let difference = both.map(|(first, second)| unpaired_difference(&first, &second));
    let welch = both.and_then(|(first, second)| welch_test((&first, &sums1), (&second, &sums2)));
    let part =
        |of: Result<Auroc, NotEstimable>, part: fn(&Auroc) -> f64| cell(of.map(|a| part(&a)));
    let z = difference.and_then(|d| d.z());
    let answer = json!({
        "auc1": part(first, |auroc| auroc.auc),
        "auc2": part(second, |auroc| auroc.auc),
        "diff": cell(difference.map(|d| d.difference)),
        "var1": part(first, |auroc| auroc.variance),
        "var2": part(second, |auroc| auroc.variance),
        "cov12": 0.0,
        "se_diff": cell(difference.map(|d| d.se)),
        "D": cell(z),
        "df": cell(welch.map(|(df, _)| df)),
        "p_two_sided": cell(welch.map(|(_, p)| p).or_else(|_| difference.and_then(|d| d.p()))),
        "z_normal": cell(z),
        "z": cell(z),
        "p_two_sided_normal": cell(difference.and_then(|d| d.p())),
        "ci_diff_normal": ends(difference.and_then(|d| d.interval(level))),
        "ci_diff": ends(difference.and_then(|d| d.interval(level))),
    });
    Ok((difference, answer))
}

fn non_inferiority(difference: Difference, margin: f64) -> Value {
    let shown = difference.and_then(|d| d.non_inferiority(margin));
    let lower =
        |level: f64| difference.and_then(|d| d.interval(level)).map(|interval| interval.lower);
    // Without any error the statistic is infinite, which this engine has no number for.
    let certain = difference.ok().filter(|d| d.se <= 0.0).map(|d| d.difference + margin);
    let (z, p) = match certain {
        Some(above) if above > 0.0 => (json!("Infinity"), json!(0)),
        Some(above) if above < 0.0 => (json!("-Infinity"), json!(1)),
        _ => (cell(shown.map(|(z, _)| z)), cell(shown.map(|(_, p)| p))),
    };
    json!({
        "margin": margin,
        "z": z,
        "p_one_sided": p,
        "lower_bound_95_two_sided": cell(lower(ONE_SIDED)),
        "lower_bound_95_one_sided": cell(lower(0.9)),
        "noninferior_at_0.025": lower(ONE_SIDED).map_or(Value::Null, |lower| json!(lower > -margin)),
    })
}
