//! A hospital whose own machines share an evaluation: its answer is that of an agent that did all by itself.

use std::fs;
use std::path::Path;

use fedval_tests::canary::{Canaries, files_below};
use fedval_tests::consortium::{Consortium, Site, until};
use fedval_tests::{folder, shared, small_site};
use serde_json::Value;

const SHARDS: &str = "3";

/// Runs one process of several, with `--index` or in the environment's place of it.
fn shard(site: &Site, index: &str, of: &str) -> (i32, String) {
    let answer =
        site.agent(&["evaluate-shard", "--study", "cxr", "--index", index, "--of", of, "--json"]);
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

fn site<'r>(report: &'r Value, id: &str) -> &'r Value {
    let sites = report["sites"].as_array().expect("a list");
    sites.iter().find(|site| site["id"] == id).expect("the site")
}

#[test]
fn three_processes_and_one_release_the_same_numbers() {
    let Some(data) = shared::folder("data/cxr") else { return };
    let consortium = Consortium::start();
    let cohort = consortium.path("data-nih-a");
    folder::copy(&data.join("nih-a"), &cohort);
    let protocol =
        consortium.lock("cxr", &small_site::image_study("cxr", &data.join("pneumonia.onnx"), 256));
    let (mut alone, mut split) =
        (consortium.enrol("alone", &cohort), consortium.enrol("split", &cohort));
    split.configure_also(&format!("shards = {SHARDS}\n"));
    for site in [&mut alone, &mut split] {
        site.sign_policy(&[&protocol]);
        site.run();
    }
    let (code, said) = shard(&split, "0", SHARDS);
    assert!(code != 0 && said.contains("SHARDS_NOT_ASKED"), "{said}");
    consortium.fedval(&["study", "dispatch", "cxr", "--json"]).json();
    until("the agent asks for shards", || {
        names(&split).contains(&"order.json".to_owned()).then_some(())
    });

    for (index, of) in [("0", "4"), ("3", SHARDS)] {
        let (code, said) = shard(&split, index, of);
        assert!(code != 0 && said.contains("SHARD_COUNT"), "{said}");
    }
    for index in ["0", "1", "2"] {
        let jobs = split.agent(&["jobs", "--json"]).json();
        assert_eq!(jobs["jobs"][0]["state"], "running", "not before all are there: {jobs}");
        let (code, said) = shard(&split, index, SHARDS);
        assert_eq!(code, 0, "{said}");
    }
    consortium.until_answered("cxr");
    // With the answer, order and secret are gone from the folder.
    until("nothing is left of the shards", || {
        names(&split).iter().all(|name| name == "gathered").then_some(())
    });

    consortium.fedval(&["study", "close", "cxr", "--json"]).json();
    let (_, report) = consortium.report("cxr");
    let (alone_said, split_said) = (site(&report, "alone"), site(&report, "split"));
    for key in [
        "status",
        "n",
        "patients",
        "n_pos",
        "n_neg",
        "metrics",
        "operating_points",
        "calibration_line",
    ] {
        assert!(!alone_said[key].is_null(), "{key} in {alone_said}");
        assert_eq!(alone_said[key], split_said[key], "{key}");
    }
    let canaries = Canaries::of_site(&cohort);
    let outgoing = split.outgoing();
    let found: Vec<&str> =
        canaries.found_in(&outgoing).into_iter().filter(|word| word.len() > 5).collect();
    assert_eq!(found, Vec::<&str>::new());
    assert!(fs::metadata(split.home.join("vault.db")).is_ok());
}
