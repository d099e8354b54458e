//! A hospital whose own machines share an evaluation: its answer is that of an agent that did all by itself. By hand and as
//! Kubernetes does it, with images and with scores that were brought, and where a steward pauses it in the middle.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod indexed_job;
#[path = "../../../site-agent/inference/tests/onnx_file/mod.rs"]
mod onnx_file;
mod paused;
mod scores;

use std::fs;
use std::path::Path;

use fedval_tests::canary::{Canaries, files_below};
use fedval_tests::consortium::{Consortium, Site, until};
use fedval_tests::reported::site;
use fedval_tests::{folder, shared, small_site};
use serde_json::Value;

const SHARDS: &str = "3";

/// Runs one process of several by hand.
fn shard(site: &Site, study: &str, index: &str, of: &str) -> (i32, String) {
    let answer =
        site.agent(&["evaluate-shard", "--study", study, "--index", index, "--of", of, "--json"]);
    (answer.code, format!("{}{}", answer.out, answer.err))
}

/// The names of files in the folder of shards.
fn names(site: &Site) -> Vec<String> {
    let folder = site.home.join("shards");
    if !folder.exists() {
        return Vec::new();
    }
    let name = |path: String| {
        Path::new(&path).file_name().and_then(|name| name.to_str()).map(str::to_owned)
    };
    files_below(&folder).into_iter().filter_map(|(path, _)| name(path)).collect()
}

/// Two sites with the same patients, of which one is split, released the same in all that these keys name.
fn check_same(report: &Value, keys: &[&str]) {
    let (alone, split) = (site(report, "alone"), site(report, "split"));
    assert_eq!(alone["status"], "released");
    for key in keys.iter().chain(&["status", "n", "patients", "metrics"]) {
        assert!(!alone[key].is_null(), "{key} in {alone}");
        assert_eq!(alone[key], split[key], "{key}");
    }
}

/// Waits until the agent has written down what its processes are to do.
fn until_asked(site: &Site) {
    until("the agent asks for shards", || {
        names(site).contains(&"order.json".to_owned()).then_some(())
    });
}

/// Dispatches a study to a site that is split and to one that is not, both of which let it run.
fn dispatch(consortium: &Consortium, study: &str, text: &str, sites: [&mut Site; 2]) {
    let protocol = consortium.lock(study, text);
    for site in sites {
        site.sign_policy(&[&protocol]);
        site.run();
    }
    consortium.fedval(&["study", "dispatch", study, "--json"]).json();
}

/// The report, once both have answered.
fn report(consortium: &Consortium, study: &str) -> Value {
    consortium.until_answered(study);
    consortium.fedval(&["study", "close", study, "--json"]).json();
    consortium.report(study).1
}

#[test]
fn three_processes_and_one_release_the_same_numbers() {
    let Some(data) = shared::folder("data/cxr") else { return };
    let consortium = Consortium::start();
    let cohort = consortium.path("data-nih-a");
    folder::copy(&data.join("nih-a"), &cohort);
    let (mut alone, mut split) =
        (consortium.enrol("alone", &cohort), consortium.enrol("split", &cohort));
    split.configure_also(&format!("shards = {SHARDS}\n"));
    let (code, said) = shard(&split, "cxr", "0", SHARDS);
    assert!(code != 0 && said.contains("SHARDS_NOT_ASKED"), "{said}");
    let study = small_site::image_study("cxr", &data.join("pneumonia.onnx"), 256);
    dispatch(&consortium, "cxr", &study, [&mut alone, &mut split]);
    until_asked(&split);

    for (index, of) in [("0", "4"), ("3", SHARDS)] {
        let (code, said) = shard(&split, "cxr", index, of);
        assert!(code != 0 && said.contains("SHARD_COUNT"), "{said}");
    }
    for index in ["0", "1", "2"] {
        let jobs = split.agent(&["jobs", "--json"]).json();
        assert_eq!(jobs["jobs"][0]["state"], "running", "not before all are there: {jobs}");
        let (code, said) = shard(&split, "cxr", index, SHARDS);
        assert_eq!(code, 0, "{said}");
    }
    consortium.until_answered("cxr");
    // With the answer, order and secret are gone from the folder.
    until("nothing is left of the shards", || {
        names(&split).iter().all(|name| name == "gathered").then_some(())
    });

    let report = report(&consortium, "cxr");
    check_same(&report, &["n_pos", "n_neg", "operating_points", "calibration_line"]);
    let canaries = Canaries::of_site(&cohort);
    let outgoing = split.outgoing();
    let found: Vec<&str> =
        canaries.found_in(&outgoing).into_iter().filter(|word| word.len() > 5).collect();
    assert_eq!(found, Vec::<&str>::new());
    assert!(fs::metadata(split.home.join("vault.db")).is_ok());
}
