//! Readers with and without the model.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::joint_rank_sums;
use fedval_stats::auroc::joint_delong;
use fedval_stats::mrmc::{
    DegreesOfFreedom, Mrmc, ReaderStudy, TreatmentDifference, TreatmentMean, mrmc,
};
use serde_json::{Value, json};

use super::columns::{rank_keys, rows_of};
use crate::input::{Input, Malformed};
use crate::output::{NOT_ESTIMABLE, cell, ends, joined};

const LEVEL: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let truth = input.at("truth")?;
    let ratings = input.at("ratings_treatment_reader_case")?;
    let treatments: Vec<Vec<Vec<f64>>> =
        ratings.list()?.iter().map(Input::matrix).collect::<Result<_, _>>()?;
    let readers = treatments.first().map_or(0, Vec::len);
    let mut keys = Vec::new();
    for reader in 0..readers {
        for treatment in &treatments {
            let own = treatment.get(reader).ok_or(());
            keys.push(rank_keys(ratings.accept(own)?));
        }
    }
    let sums = truth.accept(joint_rank_sums(&keys, &truth.flags()?))?;
    let areas = truth.accept(joint_delong(&sums))?;
    let study = ratings.accept(ReaderStudy::new(areas, readers))?;
    let analysis = ratings.accept(mrmc(&study, LEVEL))?;
    let areas = json!({"auc_reader_by_treatment": rows_of(&study.areas())});
    Ok(joined(areas, parts(&analysis)))
}

fn parts(analysis: &Mrmc) -> Value {
    let components = &analysis.components;
    json!({
        "var_components": {
            "reader": components.reader,
            "treatment:reader": components.treatment_by_reader,
            "Error": components.error,
            "Cov1": components.cov1,
            "Cov2": components.cov2,
            "Cov3": components.cov3,
        },
        "test_equality": {
            "MS(T)": analysis.mean_squares.treatment,
            "MS(T:R)": analysis.mean_squares.treatment_by_reader,
            "Cov2": components.cov2,
            "Cov3": components.cov3,
            "Denominator": analysis.denominator,
            "F": cell(analysis.equality.map(|test| test.f)),
            "df1": analysis.numerator_df,
            "df2": number_of(Ok(analysis.df)),
            "p-value": cell(analysis.equality.map(|test| test.p)),
        },
        "difference": differences(analysis),
        "treatment_means": analysis.treatments.iter().map(mean).collect::<Vec<_>>(),
    })
}

fn number_of(df: Result<DegreesOfFreedom, NotEstimable>) -> Value {
    match df {
        Ok(DegreesOfFreedom::Unlimited) => json!("Infinity"),
        Ok(DegreesOfFreedom::Limited(df)) => json!(df),
        Err(_) => json!(NOT_ESTIMABLE),
    }
}

/// One number where there is one pair of treatments, a list where there are several; limits as the
/// columns of a table.
fn differences(analysis: &Mrmc) -> Value {
    let pairs = &analysis.differences;
    let each = |of: &dyn Fn(&TreatmentDifference) -> Value| match &pairs[..] {
        [pair] => of(pair),
        _ => pairs.iter().map(of).collect(),
    };
    let lower = pairs.iter().map(|pair| pair.interval.lower);
    let limits: Vec<f64> = lower.chain(pairs.iter().map(|pair| pair.interval.upper)).collect();
    json!({
        "estimate": each(&|pair| json!(pair.interval.estimate)),
        "se": each(&|pair| json!(pair.se)),
        "df": each(&|_| number_of(Ok(analysis.df))),
        "ci": limits,
        "t": each(&|pair| cell(pair.t.map(|(t, _)| t))),
        "p": each(&|pair| cell(pair.t.map(|(_, p)| p))),
    })
}

fn mean(mean: &TreatmentMean) -> Value {
    json!({
        "estimate": mean.estimate,
        "se": mean.se,
        "df": number_of(mean.interval.map(|(df, _)| df)),
        "ci": ends(mean.interval.map(|(_, interval)| interval)),
    })
}
