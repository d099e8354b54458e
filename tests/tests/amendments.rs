//! A protocol is amended between two rounds, with real processes: sites are asked anew, and the report tells both
//! versions.

use std::fs;
use std::path::Path;

use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::small_site;
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
    let title = text.lines().find(|line| line.starts_with("title")).expect("a title");
    let file = consortium.path("amended.toml");
    fs::write(&file, text.replacen(title, "title = \"Rightly spelt\"", 1)).expect("writable");
    let args = ["study", "amend", STUDY, plain(&file), "--reason", REASON, "--json"];
    consortium.fedval(&args).json()
}

#[test]
fn an_amended_protocol_is_asked_anew_and_the_report_tells_both_versions() {
    let (consortium, site, text) = scene();
    consortium.until_answered(STUDY);
    consortium.fedval(&["study", "close", STUDY, "--json"]).json();
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
