//! report.json keeps to its published schema, and the schema lets nothing else through.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;
mod published;

use consortium::{Answers, all_answers, answers, documents, plan};
use fedval_report::assemble;
use fedval_study::StudyProtocol;
use fedval_study::protocol::ProbeRule;
use published::Published;
use serde_json::{Value, json};

const OPENED: i64 = 1_760_000_000_000;

fn report(answers: &Answers) -> Value {
    report_of(&plan(), answers)
}

fn report_of(plan: &StudyProtocol, answers: &Answers) -> Value {
    let (protocol, round, results) = documents(plan, answers, OPENED);
    let report = assemble(&protocol, &round, &results).unwrap();
    serde_json::from_slice(report.canonical().unwrap().bytes()).unwrap()
}

#[test]
fn every_report_keeps_to_the_schema() {
    let published = Published::read();
    for answers in [answers(&plan()), all_answers(&plan()), Vec::new()] {
        published.check(&report(&answers)).unwrap();
    }
    let plan = StudyProtocol { preprocessing_probes: ProbeRule::Require, ..plan() };
    let with_probes = report_of(&plan, &answers(&plan));
    assert!(with_probes["sites"][0]["preprocessing"].is_string());
    published.check(&with_probes).unwrap();
}

#[test]
fn the_schema_lets_nothing_else_through() {
    let published = Published::read();
    let whole = report(&all_answers(&plan()));
    for (path, wrong) in [
        ("/schema", json!("fedval.report/2")),
        ("/sites/0/n", json!(null)),
        ("/sites/0/metrics/auroc/estimate", json!("0.9")),
        ("/synthesis/auroc/tau2", json!(null)),
        ("/verdicts/0/result", json!("passed")),
        ("/disclosure/withheld/0/code", json!("C")),
        ("/sites/0/result", json!("0")),
        ("/gaps/0/result", json!({ "not_estimable": "bad luck" })),
    ] {
        let mut report = whole.clone();
        *report.pointer_mut(path).unwrap() = wrong;
        assert!(published.check(&report).is_err(), "{path}");
    }
    let mut more = whole.clone();
    more["patients"] = json!(["A"]);
    assert!(published.check(&more).is_err());
    // A report without classes is of one condition, and says how many have it.
    for label in ["n_pos", "n_neg"] {
        let mut less = whole.clone();
        less["participants"].as_object_mut().unwrap().remove(label).unwrap();
        assert!(published.check(&less).is_err(), "{label}");
    }
}
