//! Two index tests on the same cases.

use fedval_stats::paired::{
    PairedCounts, difference, mcnemar, non_inferiority, tango, wald_difference,
};
use serde_json::{Value, json};

use crate::input::{Input, Malformed};
use crate::output::{cell, ends, joined};

/// Non-inferiority is shown at a one-sided 0.025: by the two-sided 95 % interval.
const NON_INFERIORITY_LEVEL: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let count = |key: &str| input.at(key).and_then(|value| value.count());
    let counts = PairedCounts {
        both: count("both_correct")?,
        only_first: count("only_model1_correct")?,
        only_second: count("only_model2_correct")?,
        neither: count("both_wrong")?,
    };
    let level = input.at("level")?.number()?;
    let test = mcnemar(&counts);
    let answer = json!({
        "diff": cell(difference(&counts)),
        "mcnemar_chisq": cell(test.and_then(|test| test.chi_square)),
        "mcnemar_p": cell(test.map(|test| test.p)),
        "mcnemar_chisq_cc": cell(test.and_then(|test| test.chi_square_corrected)),
        "exact_p": cell(test.map(|test| test.exact_p)),
        "midp": cell(test.map(|test| test.mid_p)),
        "ci_tango": ends(tango(&counts, level)),
        "ci_wald": ends(wald_difference(&counts, level)),
    });
    let Some(margin) = input.find("margin") else { return Ok(answer) };
    let margin = margin.number()?;
    let shown = non_inferiority(&counts, margin);
    let lower = tango(&counts, NON_INFERIORITY_LEVEL).map(|interval| interval.lower);
    let part = json!({
        "margin": margin,
        "z_tango": cell(shown.map(|shown| shown.z)),
        "p_one_sided": cell(shown.map(|shown| shown.p_one_sided)),
        "noninferior_at_0.025": lower.map_or(Value::Null, |lower| json!(lower > -margin)),
    });
    Ok(joined(answer, json!({"noninferiority": part})))
}
