//! Adjusted p-values.

use fedval_stats::multiplicity::{benjamini_hochberg, bonferroni, hochberg, holm};
use serde_json::{Value, json};

use crate::input::{Input, Malformed};

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let column = input.at("p")?;
    let p = column.numbers()?;
    Ok(json!({
        "bonferroni": column.accept(bonferroni(&p))?,
        "holm": column.accept(holm(&p))?,
        "hochberg": column.accept(hochberg(&p))?,
        "bh": column.accept(benjamini_hochberg(&p))?,
    }))
}
