//! Means, spreads and histograms of sites, merged.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::{Edges, Histogram, Moments, quantile};
use serde_json::{Value, json};

use crate::input::{Input, Malformed};
use crate::output::{cell, ends};

const LEVEL: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let list = input.at("sites")?;
    let sites = list.matrix()?;
    let edges = input.at("edges")?;
    let edges = edges.accept(Edges::new(edges.numbers()?))?;
    let mut pooled = Moments::default();
    let mut per_site = Vec::new();
    for values in &sites {
        let moments = list.accept(Moments::of(values.iter().copied()))?;
        pooled = pooled.merge(moments);
        per_site.push(site(values, &moments, &edges));
    }
    let all = sites.concat();
    let interval = pooled.mean_interval(LEVEL);
    Ok(json!({
        "per_site": per_site,
        "pooled": {
            "n": pooled.n,
            "mean": cell(pooled.mean()),
            "sd": cell(pooled.sd()),
            "ci": ends(interval),
            "min": cell(quantile(&all, 0.0)),
            "max": cell(quantile(&all, 1.0)),
            "q05": cell(quantile(&all, 0.05)),
            "median": cell(quantile(&all, 0.5)),
            "q95": cell(quantile(&all, 0.95)),
        },
        "histogram_quantile_max_error": edges.widest(),
    }))
}

fn site(values: &[f64], moments: &Moments, edges: &Edges) -> Value {
    // The mean of nothing stands as 0 in these cases, beside its n.
    let mean = match moments.mean() {
        Err(NotEstimable::EmptyInput) => Ok(0.0),
        mean => mean,
    };
    let histogram = Histogram::of(edges.clone(), values.iter().copied());
    json!({
        "n": moments.n,
        "mean": cell(mean),
        "m2": cell(moments.squared_deviations()),
        "min": cell(quantile(values, 0.0)),
        "max": cell(quantile(values, 1.0)),
        "hist": histogram.counts(),
    })
}
