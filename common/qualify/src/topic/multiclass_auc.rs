//! Several classes.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::CrossTable;
use fedval_stats::multiclass::{ClassScores, OneVersusRestSums, hand_till, one_versus_rest};
use ndarray::Array2;
use serde_json::{Value, json};

use super::columns::{rank_keys, rows_of};
use crate::input::{Input, Malformed};
use crate::output::{cell, ends, joined};

const LEVEL: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let labels = input.at("y")?;
    let class: Vec<usize> = labels.list()?.iter().map(Input::size).collect::<Result<_, _>>()?;
    let p = input.at("prob")?.matrix()?;
    let k = p.first().map_or(0, Vec::len);
    let columns: Vec<Vec<i64>> =
        (0..k).map(|of| rank_keys(&p.iter().map(|row| row[of]).collect::<Vec<f64>>())).collect();
    let keys = Array2::from_shape_fn((p.len(), k), |(case, of)| columns[of][case]);
    let scores = labels.accept(ClassScores::new(class.clone(), keys))?;
    let areas = one_versus_rest(&OneVersusRestSums::of(&scores));
    let areas = labels.accept(areas)?;
    let errors = areas.covariance.as_ref().map(|covariance| covariance.diag().mapv(f64::sqrt));
    let discrimination = json!({
        "auc_ovr": areas.auc.iter().map(|area| cell(*area)).collect::<Vec<_>>(),
        "se_ovr": errors.map_or(Value::Null, |errors| json!(errors.to_vec())),
        "cov_ovr": areas.covariance.as_ref().map_or(Value::Null, rows_of),
        "macro_auc": cell(areas.macro_area()),
        "macro_se": cell(areas.macro_se()),
        "macro_ci": ends(areas.macro_average(LEVEL)),
        "weighted_auc": cell(areas.weighted_area()),
        "hand_till_ovo_macro": cell(hand_till(&scores)),
    });
    Ok(joined(discrimination, calls(&labels, &class, &p, k)?))
}

/// The class with the highest probability is called; of equal ones the first.
fn calls(
    labels: &Input<'_>,
    class: &[usize],
    p: &[Vec<f64>],
    k: usize,
) -> Result<Value, Malformed> {
    let mut counts = Array2::<u64>::zeros((k, k));
    for (own, row) in class.iter().zip(p) {
        let mut called = 0;
        for (of, value) in row.iter().enumerate() {
            if *value > row[called] {
                called = of;
            }
        }
        counts[[*own, called]] += 1;
    }
    let table = labels.accept(CrossTable::new(counts))?;
    let of = |part: Result<f64, NotEstimable>| cell(part);
    Ok(json!({
        "confusion": table.counts().rows().into_iter().map(|row| json!(row.to_vec())).collect::<Vec<_>>(),
        "balanced_accuracy": of(table.balanced_accuracy()),
        "accuracy": of(table.accuracy()),
        "f1_per_class": table.f1().into_iter().map(cell).collect::<Vec<_>>(),
        "macro_f1": of(table.macro_f1()),
        "mcc": of(table.matthews()),
    }))
}
