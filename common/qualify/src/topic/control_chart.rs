//! Control charts: of a number by round, or of a proportion.

use fedval_stats::NotEstimable;
use fedval_stats::control_chart::{
    Baseline, PChartPoint, cusum, ewma, funnel_limits, log_likelihood_cusum, p_chart,
    shewhart_signal,
};
use serde_json::{Value, json};

use crate::input::{Input, Malformed};
use crate::output::{cell, joined};

const LEVEL: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    if input.find("x").is_some() { series(input) } else { proportions(input) }
}

fn series(input: &Input<'_>) -> Result<Value, Malformed> {
    let x = input.at("x")?.numbers()?;
    let number = |key: &str| input.at(key).and_then(|value| value.number());
    let baseline = input.at("sd")?.accept(Baseline::new(number("center")?, number("sd")?))?;
    let sums = input.accept(cusum(&x, &baseline, number("k")?, number("h")?))?;
    let average = input.accept(ewma(&x, &baseline, number("lambda")?, number("L")?))?;
    let shewhart = input.accept(shewhart_signal(&x, &baseline))?;
    Ok(json!({
        "cusum_pos": sums.above,
        "cusum_neg": sums.below,
        "cusum_first_signal": sums.first_signal.unwrap_or(0),
        "ewma": average.average,
        "ewma_lcl": average.lower,
        "ewma_ucl": average.upper,
        "ewma_first_signal": average.first_signal.unwrap_or(0),
        "shewhart_first_signal": shewhart.unwrap_or(0),
    }))
}

/// A limit; in a round without cases the end of what a proportion can be.
fn limit(point: &Result<PChartPoint, NotEstimable>, end: u8, of: fn(&PChartPoint) -> f64) -> Value {
    match point {
        Err(NotEstimable::EmptyInput) => json!(end),
        point => cell(point.as_ref().map(of).map_err(|reason| *reason)),
    }
}

fn proportions(input: &Input<'_>) -> Result<Value, Malformed> {
    let (events, n) = (input.at("events")?.counts()?, input.at("n")?.counts()?);
    let usual = input.at("p0")?.number()?;
    let rounds: Vec<(u64, u64)> = events.into_iter().zip(n).collect();
    let points: Vec<_> = rounds.iter().map(|(x, n)| p_chart(*x, *n, usual)).collect();
    let funnel: Vec<_> = rounds.iter().map(|(_, n)| funnel_limits(*n, usual, LEVEL)).collect();
    let chart = json!({
        "z": points.iter().map(|point| cell(point.map(|point| point.z))).collect::<Vec<_>>(),
        "lcl": points.iter().map(|point| limit(point, 0, |point| point.lower)).collect::<Vec<_>>(),
        "ucl": points.iter().map(|point| limit(point, 1, |point| point.upper)).collect::<Vec<_>>(),
        "funnel_lo_95": funnel.iter().map(|limits| cell(limits.map(|l| l.0))).collect::<Vec<_>>(),
        "funnel_hi_95": funnel.iter().map(|limits| cell(limits.map(|l| l.1))).collect::<Vec<_>>(),
    });
    let Some(shifted) = input.find("p1") else { return Ok(chart) };
    let sums = input.accept(log_likelihood_cusum(&rounds, usual, shifted.number()?))?;
    Ok(joined(chart, json!({"llr_cusum": sums})))
}
