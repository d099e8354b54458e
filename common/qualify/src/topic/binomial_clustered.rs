//! A proportion where patients have several cases.

use fedval_stats::aggregate::cluster_sums;
use fedval_stats::{NotEstimable, proportion};
use serde_json::{Value, json};

use crate::input::{Input, Malformed};
use crate::output::cell;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let (successes, cases) = (input.at("successes")?.counts()?, input.at("cases")?.counts()?);
    let rows = successes
        .iter()
        .zip(&cases)
        .zip(0_u32..)
        .flat_map(|((&x, &m), cluster)| (0..m).map(move |case| (cluster, u64::from(case < x))));
    let sums = cluster_sums(rows);
    let estimate = proportion::clustered(&sums);
    let effect =
        estimate.and_then(|estimate| estimate.design_effect.ok_or(NotEstimable::ZeroVariance));
    Ok(json!({
        "clusters": sums.clusters,
        "cases": sums.size,
        "proportion": cell(estimate.map(|p| p.proportion)),
        "var": cell(estimate.map(|p| p.variance)),
        "se": cell(estimate.map(|p| p.se)),
        "naive_se": cell(estimate.map(|p| p.naive_se)),
        "design_effect": cell(effect),
    }))
}
