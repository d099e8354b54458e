//! Every case that comes with the program passes; so does every case of the shared folder, where it is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fedval_qualify::{Case, Outcome, Qualification, embedded, qualify};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/oracles/public");

/// A case whose `glmm_ml` is a saddle point of the likelihood, as `cases/bivariate.R` shows with the same
/// software; `bivariate_8sites` among the embedded cases has the maximum.
const AT_FAULT: &str = "reitsma_8sites.json";

fn read(path: &PathBuf) -> Case {
    Case::parse(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Runs the cases and fails with every one that does not pass.
fn all_pass(cases: &[Case]) {
    let run = Qualification { cases: cases.iter().map(qualify).collect() };
    let said: Vec<String> = run
        .cases
        .iter()
        .filter(|case| case.outcome != Outcome::Passed)
        .map(|case| format!("{}: {:?} {:?}", case.id, case.outcome, case.worst))
        .collect();
    assert!(run.holds() && said.is_empty(), "{}", said.join("\n"));
}

#[test]
fn every_embedded_case_passes() {
    all_pass(&embedded());
}

#[test]
fn every_shared_case_passes() {
    let folder = Path::new(SHARED);
    if !folder.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "the shared oracle cases are missing");
        println!("skipped the shared cases: no folder {SHARED}");
        return;
    }
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    let is_case = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name != "index.json" && name != AT_FAULT)
    };
    paths.retain(is_case);
    paths.sort();
    all_pass(&paths.iter().map(read).collect::<Vec<_>>());
    let at_fault = qualify(&read(&folder.join(AT_FAULT)));
    let worst = at_fault.worst.unwrap().path;
    assert!(worst.starts_with("glmm_ml."), "all but the binomial model agrees: {worst}");
}

#[test]
fn the_guide_lists_every_topic_that_has_a_case_and_no_other() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/docs/statistics.md");
    let guide = fs::read_to_string(guide).unwrap();
    for case in embedded() {
        let row = format!("| `{}` |", case.topic);
        assert!(guide.contains(&row), "no row for {}", case.topic);
    }
    let rows = guide.lines().filter(|line| line.starts_with("| `")).count();
    let topics: BTreeSet<String> = embedded().into_iter().map(|case| case.topic).collect();
    assert_eq!(rows, topics.len(), "a row of the guide has no case");
}
