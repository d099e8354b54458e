//! Columns of an input as the engine's cases.

use fedval_stats::aggregate::{RankedCase, TwoByTwo};
use fedval_stats::calibration::CalibrationCase;
use fedval_stats::scale::{expit, logit};
use ndarray::Array2;
use serde_json::{Value, json};

/// Scores as integers of the same order, equal where they are equal: dense ranks.
pub(crate) fn rank_keys(scores: &[f64]) -> Vec<i64> {
    let mut distinct = scores.to_vec();
    distinct.sort_by(f64::total_cmp);
    let rank = |score: &f64| distinct.partition_point(|other| other < score);
    scores.iter().map(|score| i64::try_from(rank(score)).unwrap_or(i64::MAX)).collect()
}

/// Cases as rank statistics see them: every case is a cluster of its own unless `clusters` says otherwise.
/// Stops at the end of the shortest column.
pub(crate) fn ranked(scores: &[f64], labels: &[bool], clusters: Option<&[u64]>) -> Vec<RankedCase> {
    let mut names = clusters.map(<[u64]>::to_vec).unwrap_or_default();
    names.sort_unstable();
    let cluster_of = |index: usize| match clusters {
        Some(clusters) => {
            let name = clusters.get(index).copied().unwrap_or_default();
            names.partition_point(|other| *other < name)
        }
        None => index,
    };
    let cases = rank_keys(scores).into_iter().zip(labels).enumerate();
    cases
        .map(|(index, (rank_key, &positive))| RankedCase {
            rank_key,
            positive,
            cluster: u32::try_from(cluster_of(index)).unwrap_or(u32::MAX),
        })
        .collect()
}

/// A table as a list of rows.
pub(crate) fn rows_of(table: &Array2<f64>) -> Value {
    table.rows().into_iter().map(|row| json!(row.to_vec())).collect()
}

/// Cases as calibration models see them; probabilities are clipped for the logit alone.
pub(crate) fn calibration_cases(p: &[f64], events: &[bool], clip: f64) -> Vec<CalibrationCase> {
    let cases = p.iter().zip(events).zip(0_u32..);
    cases
        .map(|((p, &event), cluster)| CalibrationCase {
            logit: logit(p.clamp(clip, 1.0 - clip)),
            event,
            cluster,
        })
        .collect()
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "the counts of a case are far below 2^53")]
pub(crate) fn to_number(count: u64) -> f64 {
    count as f64
}

/// How many are true.
pub(crate) fn count_true(flags: &[bool]) -> u64 {
    flags.iter().map(|&flag| u64::from(flag)).sum()
}

/// The way back from the scale that a case names; most are analysed as they stand.
pub(crate) fn back_transformation(scale: &str) -> fn(f64) -> f64 {
    if scale.starts_with("logit") {
        expit
    } else if scale.starts_with("log") || scale.starts_with("ln ") {
        f64::exp
    } else {
        |value| value
    }
}

/// The table of calls at a threshold.
pub(crate) fn two_by_two(rows: &[(f64, bool)], threshold: f64) -> TwoByTwo {
    rows.iter().fold(TwoByTwo::default(), |table, &(p, event)| {
        let is_called = p >= threshold;
        let one = |is: bool| u64::from(is);
        table.merge(TwoByTwo {
            tp: one(is_called && event),
            fn_: one(!is_called && event),
            fp: one(is_called && !event),
            tn: one(!is_called && !event),
        })
    })
}
