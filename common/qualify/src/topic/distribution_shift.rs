//! Shift between two binned distributions.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::Edges;
use fedval_stats::shift::{self, Pair};
use serde_json::{Value, json};

use crate::input::{Input, Malformed};
use crate::output::cell;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let (reference, current) =
        (input.at("reference_counts")?.counts()?, input.at("current_counts")?.counts()?);
    let pair = Pair::new(reference, current);
    let edges = Edges::new(input.at("bin_edges")?.numbers()?);
    let floor = input.at("psi_floor")?.number()?;
    let of = |measure: fn(&Pair) -> f64| cell(pair.as_ref().map(measure).map_err(|e| *e));
    let try_of = |measure: &dyn Fn(&Pair) -> Result<f64, NotEstimable>| {
        cell(pair.as_ref().map_err(|reason| *reason).and_then(measure))
    };
    let test = pair.as_ref().map_err(|reason| *reason).and_then(shift::chi_square);
    Ok(json!({
        "psi": match pair.as_ref().map(|pair| shift::population_stability_index(pair, floor)) {
            // What the formula then tends to, where not both are empty.
            Ok(Err(NotEstimable::EmptyErrorCell)) => json!("Infinity"),
            _ => try_of(&|pair| shift::population_stability_index(pair, floor)),
        },
        "js_distance": of(shift::jensen_shannon_distance),
        "js_divergence_bits": of(|pair| shift::jensen_shannon_distance(pair).powi(2)),
        "ks_binned": of(|pair| shift::kolmogorov_smirnov(pair).statistic),
        "ks_p_asymptotic": of(|pair| shift::kolmogorov_smirnov(pair).p),
        "wasserstein_binned": try_of(&|pair| shift::wasserstein(pair, edges.as_ref().map_err(|e| *e)?)),
        "chi2": cell(test.map(|test| test.statistic)),
        "chi2_df": test.map_or(0, |test| test.df),
        "chi2_p": cell(test.map(|test| test.p)),
        "hellinger": of(shift::hellinger),
        "total_variation": of(shift::total_variation),
    }))
}
