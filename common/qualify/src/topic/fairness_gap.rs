//! Gaps between groups at a locked threshold.

use fedval_stats::aggregate::TwoByTwo;
use fedval_stats::fairness::{gap, selection_rate, spread};
use fedval_stats::multiplicity::{benjamini_hochberg, holm};
use fedval_stats::proportion::{estimate, wilson};
use serde_json::{Value, json};

use crate::input::{Input, Malformed};
use crate::output::{cell, ends};

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let level = input.at("level")?.number()?;
    let list = input.at("groups")?;
    let groups: Vec<(String, TwoByTwo)> =
        list.list()?.iter().map(group).collect::<Result<_, _>>()?;
    let Some(((reference, base), others)) = groups.split_first() else {
        return list.accept(Err(()));
    };
    let mut p = Vec::new();
    let mut gaps = Vec::new();
    for (name, table) in others {
        let gap = list.accept(gap(table, base, level))?;
        p.push(list.accept(gap.tpr_p)?);
        gaps.push(json!({
            "group": name,
            "reference": reference,
            "tpr_diff": cell(gap.tpr.map(|gap| gap.estimate)),
            "tpr_diff_ci": ends(gap.tpr),
            "fpr_diff": cell(gap.fpr.map(|gap| gap.estimate)),
            "fpr_diff_ci": ends(gap.fpr),
            "tpr_fisher_p": cell(gap.tpr_p),
            "fpr_fisher_p": cell(gap.fpr_p),
        }));
    }
    let tables: Vec<TwoByTwo> = groups.iter().map(|(_, table)| *table).collect();
    let spread = spread(&tables);
    Ok(json!({
        "groups": groups.iter().map(|(name, table)| rates(name, table, level)).collect::<Vec<_>>(),
        "gaps_vs_reference": gaps,
        "max_tpr_gap": cell(spread.and_then(|spread| spread.tpr)),
        "max_fpr_gap": cell(spread.and_then(|spread| spread.fpr)),
        "equalized_odds_difference": cell(spread.and_then(|spread| spread.equalised_odds)),
        "demographic_parity_difference": cell(spread.and_then(|spread| spread.demographic_parity)),
        "tpr_p_holm": list.accept(holm(&p))?,
        "tpr_p_bh": list.accept(benjamini_hochberg(&p))?,
    }))
}

fn group(group: &Input<'_>) -> Result<(String, TwoByTwo), Malformed> {
    let count = |key: &str| group.at(key).and_then(|value| value.count());
    let table =
        TwoByTwo { tp: count("TP")?, fn_: count("FN")?, fp: count("FP")?, tn: count("TN")? };
    Ok((group.at("group")?.text()?.to_owned(), table))
}

fn rates(name: &str, table: &TwoByTwo, level: f64) -> Value {
    let (called, not_called) = (table.tp + table.fp, table.tn + table.fn_);
    json!({
        "group": name,
        "tpr": cell(estimate(table.tp, table.n_pos())),
        "fpr": cell(estimate(table.fp, table.n_neg())),
        "ppv": cell(estimate(table.tp, called)),
        "npv": cell(estimate(table.tn, not_called)),
        "selection_rate": cell(selection_rate(table)),
        "accuracy": cell(estimate(table.tp + table.tn, table.n())),
        "ci_tpr": ends(wilson(table.tp, table.n_pos(), level)),
        "ci_fpr": ends(wilson(table.fp, table.n_neg(), level)),
        "ci_ppv": ends(wilson(table.tp, called, level)),
    })
}
