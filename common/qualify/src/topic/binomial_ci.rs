//! Intervals of a proportion.

use fedval_stats::proportion;
use serde_json::{Value, json};

use crate::input::{Input, Malformed};
use crate::output::{cell, ends};

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let rows = input.at("rows")?.list()?;
    let rows: Result<Vec<Value>, Malformed> = rows.iter().map(row).collect();
    Ok(json!({"rows": rows?}))
}

fn row(row: &Input<'_>) -> Result<Value, Malformed> {
    let (x, n) = (row.at("x")?.count()?, row.at("n")?.count()?);
    let level = row.at("level")?.number()?;
    Ok(json!({
        "x": x,
        "n": n,
        "level": level,
        "estimate": cell(proportion::estimate(x, n)),
        "wilson": ends(proportion::wilson(x, n, level)),
        "clopper_pearson": ends(proportion::clopper_pearson(x, n, level)),
        "jeffreys": ends(proportion::jeffreys(x, n, level)),
    }))
}
