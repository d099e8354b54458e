//! A protocol is amended between two rounds, with real processes: sites are asked anew, the report tells both
//! versions, and no site goes back to the first.

use std::fs;
use std::path::Path;

use fedval_tests::consortium::{Consortium, Site, until};
use fedval_tests::{folder, small_site};
use serde_json::Value;

const STUDY: &str = "chest";
const REASON: &str = "the first version misspelt the title";

fn plain(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// A consortium whose only site answered a first round, and the study file.
fn scene() -> (Consortium, Site, String) {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"this is no ONNX model").expect("a writable folder");
    let data = consortium.path("data");
    small_site::write(&data, 40);
    let mut site = consortium.enrol("hospital", &data);
    let text = small_site::study(STUDY, &model);
    let protocol = consortium.lock(STUDY, &text);
    site.sign_policy(&[&protocol]);
    site.run();
    consortium.fedval(&["study", "dispatch", STUDY, "--json"]).json();
    (consortium, site, text)
}

/// Stores an amendment with another title.
fn amend(consortium: &Consortium, text: &str) -> Value {
    amend_to(consortium, text, "Rightly spelt")
}

fn amend_to(consortium: &Consortium, text: &str, title: &str) -> Value {
    let line = text.lines().find(|line| line.starts_with("title")).expect("a title");
    let file = consortium.path("amended.toml");
    fs::write(&file, text.replacen(line, &format!("title = {title:?}"), 1)).expect("writable");
    let args = ["study", "amend", STUDY, plain(&file), "--reason", REASON, "--json"];
    consortium.fedval(&args).json()
}

/// Another study with another model is sent to the hospital, and closed before anybody there lets it run.
fn ask_something_else(consortium: &Consortium, site: &Site) {
    let model = consortium.path("another.onnx");
    fs::write(&model, b"this is no ONNX model either").expect("a writable folder");
    let _protocol = consortium.lock("bone", &small_site::study("bone", &model));
    consortium.fedval(&["study", "dispatch", "bone", "--json"]).json();
    assert_eq!(site.until_job_is("offered"), "bone-r1");
    consortium.fedval(&["study", "close", "bone", "--json"]).json();
    assert_eq!(site.until_job_is("cancelled"), "bone-r1");
}

/// The package counts what was sent to the hospital before: the model once, and any model twice.
fn counts_what_was_sent_before(report: &Value, out: &Path, verified: &Value) {
    let site = &report["sites"][0];
    assert_eq!(site["earlier_dispatches"], 1);
    assert_eq!(site["earlier_dispatches_any_model"], 2);
    let limits = report["limits"].to_string();
    assert!(limits.contains("The model had been dispatched before to hospital (1)"), "{limits}");
    assert!(limits.contains("in this study or others, before to hospital (2)"), "{limits}");
    assert!(limits.contains("other coordinators"), "{limits}");
    let table = fs::read_to_string(out.join("tables/sites.csv")).expect("a table");
    assert!(table.lines().nth(1).is_some_and(|row| row.ends_with(",1,2")), "{table}");
    assert_eq!(verified["log"]["dispatches"]["hospital"], 2, "the second real dispatch");
    assert_eq!(verified["log"]["dispatches_any_model"]["hospital"], 3);
}

#[test]
fn an_amended_protocol_is_asked_anew_and_the_report_tells_both_versions() {
    let (consortium, site, text) = scene();
    consortium.until_answered(STUDY);
    consortium.fedval(&["study", "close", STUDY, "--json"]).json();
    ask_something_else(&consortium, &site);
    let amended = amend(&consortium, &text);
    assert_eq!((&amended["version"], &amended["state"]), (&2.into(), &"draft".into()));
    assert_eq!(amended["changes"][0]["path"], "title");
    let status = consortium.fedval(&["study", "status", STUDY]).out;
    assert!(status.contains("Version 2 is a draft"), "{status}");
    let locked = consortium.fedval(&["study", "lock", STUDY, "--json"]).json();
    assert_eq!(locked["version"], 2);

    // The site named the first version in its policy, and that one alone.
    consortium.fedval(&["study", "dispatch", STUDY, "--json"]).json();
    assert_eq!(site.until_job_is("offered"), "chest-r2");
    assert_eq!(site.agent(&["approve", "chest-r2", "--by", "ada"]).code, 0);
    site.until_job_is("awaiting_release");
    assert_eq!(site.agent(&["release", "chest-r2", "--by", "ada"]).code, 0);
    consortium.until_answered(STUDY);
    let out = consortium.path("report");
    consortium.fedval(&["study", "close", STUDY, "--out", plain(&out), "--json"]).json();

    let report = fs::read_to_string(out.join("report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let history = report["study"]["history"].as_array().expect("versions");
    assert_eq!(history.len(), 2);
    assert_eq!(history[1]["reason"], REASON);
    assert_eq!(
        (&history[0]["results_before"], &history[1]["results_before"]),
        (&0.into(), &1.into())
    );
    let limits = report["limits"].to_string();
    assert!(limits.contains("version 2 after one result"), "{limits}");
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.contains(REASON) && page.contains("Rightly spelt"));
    let root = consortium.home().join("pki/root.pem");
    let args = ["verify", plain(&out), "--root", plain(&root), "--json"];
    counts_what_was_sent_before(&report, &out, &consortium.fedval(&args).json());
    for package in [out.clone(), out.join("evidence.zip")] {
        let verified = consortium.fedval(&["verify", plain(&package), "--root", plain(&root)]);
        assert_eq!(verified.code, 0, "{}", verified.err);
        assert!(verified.out.contains("evidence/earlier-protocols/version-1.json"));
    }
}

#[test]
fn nothing_is_amended_under_an_open_round_or_without_a_change() {
    let (consortium, _site, text) = scene();
    let file = consortium.path("same.toml");
    fs::write(&file, &text).expect("a writable folder");
    let args = ["study", "amend", STUDY, plain(&file), "--reason", REASON];
    let same = consortium.fedval(&args);
    assert_eq!(same.code, 2);
    assert!(same.err.contains("AMENDMENT_EMPTY"), "{}", same.err);
    amend(&consortium, &text);
    let refused = consortium.fedval(&["study", "lock", STUDY]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("AMENDMENT_ROUND_OPEN"), "{}", refused.err);
    assert!(refused.err.contains("study close chest"), "{}", refused.err);
    let elsewhere = consortium.path("elsewhere.toml");
    fs::write(&elsewhere, text.replacen("\"chest\"", "\"knee\"", 1)).expect("a writable folder");
    let args = ["study", "amend", STUDY, plain(&elsewhere), "--reason", REASON];
    let refused = consortium.fedval(&args);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("describes the study `knee`"), "{}", refused.err);
}

/// Locks what was amended and sends it to the hospital.
fn lock_and_send(consortium: &Consortium) -> Value {
    consortium.fedval(&["study", "lock", STUDY, "--json"]).json();
    consortium.fedval(&["study", "dispatch", STUDY, "--json"]).json()["round"].clone()
}

/// The hospital's agent writes this code into its log.
fn until_alarmed(consortium: &Consortium, code: &str) {
    let log = consortium.path("hospital.log");
    until(&format!("the hospital says {code}"), || {
        fs::read_to_string(&log).ok()?.contains(code).then_some(())
    });
}

#[test]
fn a47_a_coordinator_that_goes_back_to_a_replaced_version_is_refused_until_it_locks_a_newer_one() {
    let (mut consortium, mut site, text) = scene();
    consortium.until_answered(STUDY);
    consortium.fedval(&["study", "close", STUDY, "--json"]).json();
    consortium.stop();
    let before = consortium.path("before");
    folder::copy_as_it_is(&consortium.home(), &before);
    consortium.serve();
    amend(&consortium, &text);
    assert_eq!(lock_and_send(&consortium), "chest-r2");
    assert_eq!(site.until_job_is("offered"), "chest-r2");
    let held = site_jobs(&site);

    // The coordinator as it was when the first version was in force: a backup, or an old folder on purpose.
    site.kill();
    consortium.stop();
    fs::remove_dir_all(consortium.home()).expect("it is there");
    folder::copy_as_it_is(&before, &consortium.home());
    consortium.serve();
    site.run();
    let again = consortium.fedval(&["study", "dispatch", STUDY, "--json"]).json();
    assert_eq!(again["round"], "chest-r2");
    until_alarmed(&consortium, "PROTOCOL_OLDER");
    assert_eq!(site_jobs(&site), held, "the hospital holds the order that it took");

    // Another second version, under the signatures of sponsor and coordinator.
    consortium.fedval(&["study", "close", STUDY, "--json"]).json();
    amend_to(&consortium, &text, "Spelt in a third way");
    assert_eq!(lock_and_send(&consortium), "chest-r3");
    until_alarmed(&consortium, "PROTOCOL_FORKED");

    consortium.fedval(&["study", "close", STUDY, "--json"]).json();
    amend_to(&consortium, &text, "Spelt in a fourth way");
    assert_eq!(lock_and_send(&consortium), "chest-r4");
    assert_eq!(site.until_job_is("offered"), "chest-r4");
}

/// Each job of the hospital with the protocol that it is about.
fn site_jobs(site: &Site) -> Vec<[Value; 2]> {
    let jobs = site.agent(&["jobs", "--json"]).json();
    let jobs = jobs["jobs"].as_array().expect("a list").clone();
    jobs.into_iter().map(|job| [job["job"].clone(), job["protocol_digest"].clone()]).collect()
}
