//! A process that a steward pauses in the middle.

use std::fs;
use std::path::Path;

use fedval_tests::consortium::{Consortium, until};
use fedval_tests::process::{Launch, Running};
use fedval_tests::signal::{self, Signal};
use fedval_tests::{folder, shared, small_site};

use crate::{check_same, dispatch, report, until_asked};

/// Cases that a process has left: one a line.
fn cases_done(file: &Path) -> usize {
    fs::read_to_string(file).unwrap_or_default().lines().count()
}

/// The boxes in which a process decodes and runs the model.
fn boxes(process: &Running) -> Vec<u32> {
    signal::children(process.id(), "-box")
}

#[test]
fn a_process_that_is_paused_gives_its_case_up_waits_and_goes_on_where_it_was() {
    let Some(data) = shared::folder("data/cxr") else { return };
    let consortium = Consortium::start();
    let cohort = consortium.path("data-nih-a");
    folder::copy(&data.join("nih-a"), &cohort);
    let manifest = fs::read_to_string(cohort.join("manifest.csv")).expect("a manifest");
    let cases = manifest.lines().count() - 1;
    let [mut alone, mut split] = ["alone", "split"].map(|name| consortium.enrol(name, &cohort));
    split.configure_also("shards = 1\n");
    let study = small_site::image_study("cxr", &data.join("pneumonia.onnx"), 256);
    dispatch(&consortium, "cxr", &study, [&mut alone, &mut split]);
    until_asked(&split);
    let jobs = split.agent(&["jobs", "--json"]).json();
    let round = jobs["jobs"][0]["job"].as_str().expect("a job");
    let file = split.home.join("shards").join(round).join("0-of-1.cases");

    let args = ["evaluate-shard", "--study", "cxr", "--index", "0", "--of", "1"];
    let log = consortium.path("shard.log");
    let mut process = Running::launch(&Launch::default(), "fedval-agent", &split.home, &args, &log);
    until("some cases are done", || (cases_done(&file) > 0).then_some(()));
    // The case that it is at ends only when the steward has spoken.
    let stopped = boxes(&process).into_iter().filter(|id| signal::send(*id, Signal::STOP)).count();
    assert!(stopped > 0, "it is in the middle");
    assert_eq!(split.agent(&["pause"]).code, 0);
    until("no model is in memory", || boxes(&process).is_empty().then_some(()));
    let done = cases_done(&file);
    assert!((1..cases).contains(&done), "{done} of {cases}");
    split.until_it_looked_for_work();
    assert_eq!((cases_done(&file), boxes(&process)), (done, Vec::new()), "nobody evaluates");
    assert!(process.is_running(), "whoever started it need not start it again");

    // So that what it leaves stays where it can be counted.
    split.kill();
    assert_eq!(split.agent(&["resume"]).code, 0);
    let ended = until("the process is done", || process.ended());
    assert!(ended.success(), "{ended}");
    assert_eq!(cases_done(&file), cases, "every case once");
    split.run();
    let report = report(&consortium, "cxr");
    check_same(&report, &["n_pos", "n_neg", "operating_points", "calibration_line"]);
}
