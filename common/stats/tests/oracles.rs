//! The estimators against other software: pROC, metafor, R's stats and rms, NumPy.
//!
//! Each case carries its input, what the other software printed, and the tolerance per field; this
//! file only turns estimates into the same shape.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]
#![expect(clippy::cast_precision_loss, reason = "the counts of a test are small")]

#[path = "oracle/cases.rs"]
mod cases;
#[path = "oracle/compare.rs"]
mod compare;
#[path = "oracle/end_to_end.rs"]
mod end_to_end;
#[path = "oracle/engine.rs"]
mod engine;
#[path = "oracle/synthesis.rs"]
mod synthesis;

use compare::compare;
use serde_json::Value;

/// Runs `engine` on all cases of a topic and fails with every difference.
fn reproduces(topic: &str, engine: fn(&Value) -> Value) {
    let mut report = Vec::new();
    for case in cases::of_topic(topic) {
        let got = engine(&case["input"]);
        for difference in compare(&case["expected"], &got, &case["tolerance"]) {
            report.push(format!("{} {}: {}", case["id"], difference.path, difference.what));
        }
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}

#[test]
fn auc_delong() {
    reproduces("auc_delong", engine::auc_delong);
}

#[test]
fn auc_clustered() {
    reproduces("auc_clustered", engine::auc_clustered);
}

#[test]
fn binomial_clustered() {
    reproduces("binomial_clustered", engine::binomial_clustered);
}

#[test]
fn binomial_ci() {
    reproduces("binomial_ci", engine::binomial_ci);
}

#[test]
fn calibration() {
    reproduces("calibration", engine::calibration);
}

#[test]
fn meta_random_effects() {
    reproduces("meta_random_effects", synthesis::meta_random_effects);
}

#[test]
fn the_whole_pipeline_on_five_sites() {
    let case = cases::committed("e2e_5sites");
    let (expected, got) = end_to_end::sites_and_pools(&case);
    let differences = compare(&expected, &got, &case["tolerance"]);
    assert!(differences.is_empty(), "{differences:#?}");
}
