//! The AUROC of independent cases with every interval.

use fedval_stats::aggregate::rank_sums;
use fedval_stats::auroc;
use fedval_stats::scale::logit;
use serde_json::{Value, json};

use super::columns::ranked;
use crate::input::{Input, Malformed};
use crate::output::{cell, ends};

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let level = input.at("level")?.number()?;
    let (scores, labels) = (input.at("score")?.numbers()?, input.at("label")?.flags()?);
    let (sums, _) = rank_sums(&ranked(&scores, &labels, None));
    let area = auroc::auc_of(&sums);
    let estimate = auroc::delong(&sums);
    let logit_area = match area {
        Ok(area) if area >= 1.0 => json!("Infinity"),
        Ok(area) if area <= 0.0 => json!("-Infinity"),
        area => cell(area.map(logit)),
    };
    let newcombe = area.and_then(|area| auroc::newcombe5(area, sums.n_pos, sums.n_neg, level));
    let hanley = area.and_then(|area| auroc::hanley_mcneil_se(area, sums.n_pos, sums.n_neg));
    Ok(json!({
        "n_pos": sums.n_pos,
        "n_neg": sums.n_neg,
        "auc": cell(area),
        "mann_whitney_u": sums.mann_whitney_u(),
        "s10": cell(auroc::positive_component(&sums)),
        "s01": cell(auroc::negative_component(&sums)),
        "delong_var": cell(estimate.map(|auroc| auroc.variance)),
        "delong_se": cell(estimate.map(|auroc| auroc.se)),
        "ci_wald_clipped": ends(estimate.and_then(|a| auroc::wald_interval_clipped(&a, level))),
        "logit_auc": logit_area,
        "logit_se": cell(estimate.and_then(|auroc| auroc.logit_se())),
        "ci_logit": ends(estimate.and_then(|auroc| auroc::logit_interval(&auroc, level))),
        "ci_newcombe5": ends(newcombe),
        "hanley_mcneil_se": cell(hanley),
    }))
}
