//! Readers with and without the model.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::joint_rank_sums;
use fedval_stats::auroc::joint_delong;
use fedval_stats::mrmc::{Mrmc, ReaderStudy, mrmc};
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
    let analysis = mrmc(&study, LEVEL);
    let areas = json!({"auc_reader_by_treatment": rows_of(&study.areas())});
    Ok(joined(areas, parts(&analysis)))
}

fn parts(analysis: &Result<Mrmc, NotEstimable>) -> Value {
    let of = |part: fn(&Mrmc) -> f64| cell(analysis.as_ref().map(part).map_err(|reason| *reason));
    json!({
        "var_components": {
            "reader": of(|a| a.components.reader),
            "treatment:reader": of(|a| a.components.treatment_by_reader),
            "Error": of(|a| a.components.error),
            "Cov1": of(|a| a.components.cov1),
            "Cov2": of(|a| a.components.cov2),
            "Cov3": of(|a| a.components.cov3),
        },
        "test_equality": {
            "MS(T)": of(|a| a.mean_squares.treatment),
            "MS(T:R)": of(|a| a.mean_squares.treatment_by_reader),
            "Cov2": of(|a| a.components.cov2),
            "Cov3": of(|a| a.components.cov3),
            "Denominator": of(|a| a.denominator),
            "F": of(|a| a.f),
            "df1": of(|a| a.df.0),
            "df2": of(|a| a.df.1),
            "p-value": of(|a| a.p),
        },
        "difference": analysis.as_ref().map_or_else(|_| json!(NOT_ESTIMABLE), differences),
        "treatment_means": analysis.as_ref().map_or_else(|_| json!(NOT_ESTIMABLE), means),
    })
}

/// One number where there is one pair of treatments, a list where there are several; limits as the
/// columns of a table.
fn differences(analysis: &Mrmc) -> Value {
    let pairs = &analysis.differences;
    let each = |values: Vec<f64>| match values[..] {
        [value] => json!(value),
        _ => json!(values),
    };
    let lower = pairs.iter().map(|pair| pair.interval.lower);
    let limits: Vec<f64> = lower.chain(pairs.iter().map(|pair| pair.interval.upper)).collect();
    json!({
        "estimate": each(pairs.iter().map(|pair| pair.interval.estimate).collect()),
        "se": each(pairs.iter().map(|pair| pair.se).collect()),
        "df": each(pairs.iter().map(|_| analysis.df.1).collect()),
        "ci": limits,
        "t": each(pairs.iter().map(|pair| pair.t).collect()),
        "p": each(pairs.iter().map(|pair| pair.p).collect()),
    })
}

fn means(analysis: &Mrmc) -> Value {
    let row = |mean: &Result<(fedval_stats::Interval, f64, f64), NotEstimable>| {
        json!({
            "estimate": cell(mean.map(|(interval, ..)| interval.estimate)),
            "se": cell(mean.map(|(_, se, _)| se)),
            "df": cell(mean.map(|(.., df)| df)),
            "ci": ends(mean.map(|(interval, ..)| interval)),
        })
    };
    analysis.treatments.iter().map(row).collect()
}
