//! Agreement of several readers: by category, or of measurements. A case's input does not say which it
//! is; categories are whole numbers or texts of which some repeat within a subject.

use std::collections::BTreeSet;

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::Moments;
use fedval_stats::agreement::{
    Intraclass, MeasurementSums, RatingSums, bland_altman, fleiss_kappa, intraclass,
};
use ndarray::Array2;
use serde_json::{Value, json};

use crate::input::{Input, Malformed};
use crate::output::{cell, joined};

const LEVEL: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let ratings = input.at("ratings")?;
    let mut complete = Vec::new();
    for subject in ratings.list()? {
        let rated = subject.list()?;
        // A subject that a reader left out counts for none.
        if rated.iter().all(|rating| !rating.raw().is_null()) {
            complete.push(rated);
        }
    }
    // Both, since the input does not say: what cannot be had of it is not estimable.
    Ok(joined(categories(&complete), measurements(&ratings, &complete)?))
}

fn categories(ratings: &[Vec<Input<'_>>]) -> Value {
    let name = |rating: &Input<'_>| rating.raw().to_string();
    let subjects: Vec<Vec<String>> =
        ratings.iter().map(|rated| rated.iter().map(name).collect()).collect();
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
    json!({
        "fleiss_kappa": cell(kappa.map(|kappa| kappa.kappa)),
        "z": cell(kappa.map(|kappa| kappa.z)),
        "p": cell(kappa.map(|kappa| kappa.p)),
    })
}

fn measurements(ratings: &Input<'_>, complete: &[Vec<Input<'_>>]) -> Result<Value, Malformed> {
    let numbers = |rated: &Vec<Input<'_>>| rated.iter().map(Input::number).collect();
    let rows: Result<Vec<Vec<f64>>, Malformed> = complete.iter().map(numbers).collect();
    let Ok(rows) = rows else { return Ok(json!({})) };
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    let table = ratings.accept(Array2::from_shape_vec(shape, rows.concat()))?;
    let icc = MeasurementSums::of(&table).and_then(|sums| intraclass(&sums, LEVEL));
    let part = |part: fn(&Intraclass) -> Result<f64, NotEstimable>| {
        cell(icc.as_ref().map_err(|reason| *reason).and_then(part))
    };
    Ok(json!({
        "icc_1_1": part(|icc| icc.one_way),
        "icc_2_1": part(|icc| icc.agreement),
        "icc_3_1": part(|icc| icc.consistency),
        "icc_2_k": part(|icc| icc.agreement_of_mean),
        "icc_2_1_ci": [part(|icc| icc.agreement_lower), part(|icc| icc.agreement_upper)],
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
