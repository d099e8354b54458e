//! Agreement of two gradings.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::CrossTable;
use fedval_stats::agreement::{Weighting, kappa};
use ndarray::Array2;
use serde_json::{Map, Value, json};

use crate::input::{Input, Malformed};
use crate::output::{cell, ends};

const WEIGHTINGS: [(&str, Weighting); 3] = [
    ("unweighted", Weighting::Unweighted),
    ("linear", Weighting::Linear),
    ("quadratic", Weighting::Quadratic),
];

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let (matrix, level) = (input.at("matrix")?, input.at("level")?.number()?);
    let rows: Vec<Vec<u64>> = matrix.list()?.iter().map(Input::counts).collect::<Result<_, _>>()?;
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    let table = matrix.accept(Array2::from_shape_vec(shape, rows.concat()))?;
    let grades = matrix.accept(CrossTable::new(table))?;
    let mut result = Map::new();
    for (name, weighting) in WEIGHTINGS {
        let agreement = kappa(&grades, weighting, level);
        let part = |part: fn(&fedval_stats::agreement::Kappa) -> Result<f64, NotEstimable>| {
            cell(agreement.as_ref().map_err(|reason| *reason).and_then(part))
        };
        let row = json!({
            "po": part(|kappa| Ok(kappa.observed)),
            "pe": part(|kappa| Ok(kappa.chance)),
            "kappa": part(|kappa| kappa.kappa.map(|interval| interval.estimate)),
            "se": part(|kappa| kappa.se),
            "se_null": part(|kappa| kappa.se_null),
            "ci": ends(agreement.and_then(|kappa| kappa.kappa)),
        });
        result.insert(name.to_owned(), row);
    }
    Ok(Value::Object(result))
}
