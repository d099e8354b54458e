//! Adjusted p-values.

use fedval_stats::NotEstimable;
use fedval_stats::multiplicity::{benjamini_hochberg, bonferroni, hochberg, holm};
use serde_json::{Value, json};

use crate::input::{Input, Malformed};

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let column = input.at("p")?;
    let tests = column.list()?;
    // A test that was not made counts for none, and keeps its place.
    let is_made = |test: &&Input<'_>| !test.raw().is_null();
    let p: Vec<f64> = tests.iter().filter(is_made).map(Input::number).collect::<Result<_, _>>()?;
    let adjusted = |by: fn(&[f64]) -> Result<Vec<f64>, NotEstimable>| {
        let mut adjusted = column.accept(by(&p))?.into_iter();
        let place = |test| is_made(&test).then(|| adjusted.next()).flatten();
        Ok(tests.iter().map(place).collect::<Vec<Option<f64>>>())
    };
    Ok(json!({
        "bonferroni": adjusted(bonferroni)?,
        "holm": adjusted(holm)?,
        "hochberg": adjusted(hochberg)?,
        "bh": adjusted(benjamini_hochberg)?,
    }))
}
