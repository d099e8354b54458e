//! One file a topic: from a case's input to the engine's functions, and from their answer to the shape of
//! the case.

mod columns;

mod agreement;
mod auc_clustered;
mod auc_delong;
mod binomial_ci;
mod binomial_clustered;
mod bivariate_dta;
mod calibration;
mod control_chart;
mod decision_curve;
mod delong_test;
mod detection_map;
mod distribution_shift;
mod end_to_end_report;
mod explanation_localization;
mod fairness_gap;
mod federated_pooling;
mod froc;
mod mcnemar_noninferiority;
mod meta_random_effects;
mod meta_subgroup;
mod moment_merge;
mod mrmc_or;
mod multiclass_auc;
mod multiplicity;
mod robustness;
mod segmentation;
mod weighted_kappa;

use serde_json::Value;

use crate::input::{Input, Malformed};

type Answer = fn(&Input<'_>) -> Result<Value, Malformed>;

/// Every topic, by name.
const TOPICS: [(&str, Answer); 27] = [
    ("agreement", agreement::answer),
    ("auc_clustered", auc_clustered::answer),
    ("auc_delong", auc_delong::answer),
    ("binomial_ci", binomial_ci::answer),
    ("binomial_clustered", binomial_clustered::answer),
    ("bivariate_dta", bivariate_dta::answer),
    ("calibration", calibration::answer),
    ("control_chart", control_chart::answer),
    ("decision_curve", decision_curve::answer),
    ("delong_test", delong_test::answer),
    ("detection_map", detection_map::answer),
    ("distribution_shift", distribution_shift::answer),
    ("end_to_end_report", end_to_end_report::answer),
    ("explanation_localization", explanation_localization::answer),
    ("fairness_gap", fairness_gap::answer),
    ("federated_pooling", federated_pooling::answer),
    ("froc", froc::answer),
    ("mcnemar_noninferiority", mcnemar_noninferiority::answer),
    ("meta_random_effects", meta_random_effects::answer),
    ("meta_subgroup", meta_subgroup::answer),
    ("moment_merge", moment_merge::answer),
    ("mrmc_or", mrmc_or::answer),
    ("multiclass_auc", multiclass_auc::answer),
    ("multiplicity", multiplicity::answer),
    ("robustness", robustness::answer),
    ("segmentation", segmentation::answer),
    ("weighted_kappa", weighted_kappa::answer),
];

/// What the engine makes of an input; `None` for a topic that it does not have.
pub(crate) fn answer(topic: &str, input: &Input<'_>) -> Option<Result<Value, Malformed>> {
    let (_, answer) = TOPICS.iter().find(|(name, _)| *name == topic)?;
    Some(answer(input))
}
