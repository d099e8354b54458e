//! Decision curves over sites.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::TwoByTwo;
use fedval_stats::decision_curve::{NetBenefit, net_benefit};
use serde_json::{Value, json};

use super::columns::{count_true, two_by_two};
use crate::input::{Input, Malformed};
use crate::output::{cell, ends, joined};

const LEVEL: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let (p, y) = (input.at("prob")?.numbers()?, input.at("y")?.flags()?);
    let thresholds = input.at("thresholds")?.numbers()?;
    let rows: Vec<(f64, bool)> = p.into_iter().zip(y.iter().copied()).collect();
    let curve: Vec<Value> = thresholds
        .iter()
        .map(|threshold| row(&two_by_two(&rows, *threshold), *threshold))
        .collect();
    let all = json!({"n": rows.len(), "events": count_true(&y), "rows": curve});
    match input.find("site") {
        Some(sites) => Ok(joined(all, json!({"per_site": per_site(&sites, &rows, &thresholds)?}))),
        None => Ok(all),
    }
}

fn row(table: &TwoByTwo, threshold: f64) -> Value {
    let benefit = net_benefit(table, threshold);
    let part = |part: fn(&NetBenefit) -> Result<f64, NotEstimable>| {
        cell(benefit.as_ref().map_err(|reason| *reason).and_then(part))
    };
    // Without events the standardised benefit is a loss by 0.
    let standardised = match benefit {
        Ok(benefit) if table.tp + table.fn_ == 0 && benefit.net_benefit < 0.0 => {
            json!("-Infinity")
        }
        _ => part(|benefit| benefit.standardised),
    };
    json!({
        "threshold": threshold,
        "tp": table.tp,
        "fp": table.fp,
        "net_benefit": part(|benefit| Ok(benefit.net_benefit)),
        "treat_all": part(|benefit| Ok(benefit.treat_all)),
        "treat_none": 0,
        "standardized": standardised,
        "interventions_avoided_per_100": part(|benefit| benefit.interventions_avoided_per_100),
        "se_net_benefit": part(|benefit| benefit.se),
        "ci": ends(benefit.and_then(|benefit| benefit.interval(LEVEL))),
    })
}

/// Sites in the order in which they first appear.
fn per_site(
    sites: &Input<'_>,
    rows: &[(f64, bool)],
    thresholds: &[f64],
) -> Result<Vec<Value>, Malformed> {
    // A name, or a number.
    let names: Vec<Value> = sites.list()?.iter().map(Input::raw).collect();
    let mut order: Vec<&Value> = Vec::new();
    for name in &names {
        if !order.contains(&name) {
            order.push(name);
        }
    }
    let site = |site: &&Value| {
        let own: Vec<(f64, bool)> =
            rows.iter().zip(&names).filter(|(_, name)| name == site).map(|(row, _)| *row).collect();
        let tables: Vec<TwoByTwo> =
            thresholds.iter().map(|threshold| two_by_two(&own, *threshold)).collect();
        json!({
            "site": site,
            "n": own.len(),
            "events": own.iter().filter(|(_, event)| *event).count(),
            "tp": tables.iter().map(|table| table.tp).collect::<Vec<_>>(),
            "fp": tables.iter().map(|table| table.fp).collect::<Vec<_>>(),
        })
    };
    Ok(order.iter().map(site).collect())
}
