//! Agreement of several readers: by category, or of measurements. A case's input does not say which it
//! is; categories are whole numbers or texts of which some repeat within a subject.

use std::collections::BTreeSet;

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::Moments;
use fedval_stats::agreement::{
    Intraclass, RatingSums, RatingTable, bland_altman, fleiss_kappa, intraclass,
};
use ndarray::Array2;
use serde_json::{Value, json};

use crate::input::{Input, Malformed};
use crate::output::{cell, ends, joined};

const LEVEL: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let ratings = input.at("ratings")?;
    // Both, since the input does not say: what cannot be had of it is not estimable.
    Ok(joined(categories(&ratings)?, measurements(&ratings)?))
}

fn categories(ratings: &Input<'_>) -> Result<Value, Malformed> {
    let mut subjects = Vec::new();
    for subject in ratings.list()? {
        let rated: Vec<String> =
            subject.list()?.iter().map(|rating| rating.raw().to_string()).collect();
        subjects.push(rated);
    }
    let names: BTreeSet<&String> = subjects.iter().flatten().collect();
    let counted: Vec<Vec<u64>> = subjects
        .iter()
        .map(|rated| {
            let count =
                |name: &&String| rated.iter().filter(|other| *other == *name).count() as u64;
            names.iter().map(count).collect()
        })
        .collect();
    let kappa = RatingSums::of(&counted).and_then(|sums| fleiss_kappa(&sums));
    Ok(json!({
        "fleiss_kappa": cell(kappa.map(|kappa| kappa.kappa)),
        "z": cell(kappa.map(|kappa| kappa.z)),
        "p": cell(kappa.map(|kappa| kappa.p)),
    }))
}

fn measurements(ratings: &Input<'_>) -> Result<Value, Malformed> {
    let Ok(rows) = ratings.matrix() else { return Ok(json!({})) };
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    let table = ratings.accept(Array2::from_shape_vec(shape, rows.concat()))?;
    let icc = RatingTable::new(table).and_then(|table| intraclass(&table, LEVEL));
    let part = |part: fn(&Intraclass) -> f64| cell(icc.as_ref().map(part).map_err(|e| *e));
    Ok(json!({
        "icc_1_1": part(|icc| icc.one_way),
        "icc_2_1": part(|icc| icc.agreement.estimate),
        "icc_3_1": part(|icc| icc.consistency),
        "icc_2_k": part(|icc| icc.agreement_of_mean),
        "icc_2_1_ci": ends(icc.map(|icc| icc.agreement)),
        "bland_altman": if shape.1 == 2 { limits_of_agreement(&rows) } else { Value::Null },
    }))
}

fn limits_of_agreement(rows: &[Vec<f64>]) -> Value {
    let limits = Moments::of(rows.iter().map(|row| row[0] - row[1]))
        .and_then(|differences| bland_altman(&differences));
    let part = |part: fn(&fedval_stats::agreement::BlandAltman) -> f64| {
        cell(limits.as_ref().map(part).map_err(|reason: &NotEstimable| *reason))
    };
    json!({
        "bias": part(|limits| limits.bias),
        "sd": part(|limits| limits.sd),
        "loa": [part(|limits| limits.lower_limit), part(|limits| limits.upper_limit)],
    })
}
