//! A site that chose its engine, from its configuration to an accepted result.
//!
//! Needs ONNX Runtime's library at `FEDVAL_ONNX_RUNTIME`, and strace; `tests/run.sh` fetches both.

use std::fs;
use std::path::PathBuf;

use fedval_study::Sha256Digest;
use fedval_tests::consortium::Consortium;
use fedval_tests::process::Launch;
use fedval_tests::{shared, small_site};
use serde_json::Value;

/// The library's file.
fn library() -> PathBuf {
    let file = std::env::var_os("FEDVAL_ONNX_RUNTIME");
    file.expect("FEDVAL_ONNX_RUNTIME names libonnxruntime.so, as tests/run.sh says").into()
}

/// Every file that is named and every connection that is tried, by the agent and all its boxes, also where the
/// kernel denies it.
fn traced(trace: &std::path::Path) -> Launch {
    let trace = trace.display().to_string();
    let under = ["strace", "-D", "-f", "-q", "-o", &trace, "-e", "trace=%file,%network"];
    Launch { under: under.map(str::to_owned).to_vec(), ..Launch::default() }
}

#[test]
fn onnx_runtime_scores_a_round_and_tells_nobody() {
    let library = library();
    let Some(data) = shared::folder("data/cxr") else { return };
    let consortium = Consortium::start();
    let mut site = consortium.enrol("nih-a", &data.join("nih-a"));
    let study = small_site::image_study("cxr", &data.join("pneumonia.onnx"), 256);
    let protocol = consortium.lock("cxr", &study);
    site.sign_policy(&[&protocol]);
    let pinned = Sha256Digest::of(&fs::read(&library).expect("the library can be read"));
    site.configure_also(&format!(
        "\n[inference]\nengine = \"onnx_runtime\"\ncompare = true\nlibrary = {library:?}\n\
         library_sha256 = \"{pinned}\"\n"
    ));
    let checked: Value = serde_json::from_str(&site.agent(&["check", "--json"]).out).expect("JSON");
    let rows = checked["checks"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["check"] == "engine").expect("a row");
    assert_eq!(row["holds"], true, "{row}");

    let trace = consortium.path("run.trace");
    site.run_by(&traced(&trace));
    consortium.fedval(&["study", "dispatch", "cxr", "--json"]).json();
    consortium.until_answered("cxr");
    let status = consortium.status("cxr");
    assert_eq!(status["sites"][0]["status"], "released", "{status}");
    site.kill();

    let trace = fs::read_to_string(trace).expect("strace wrote it");
    let loaded = trace.lines().filter(|line| line.contains("\"/proc/self/fd/")).count();
    assert!(loaded > 0, "no box loaded the library");
    // Where its makers' builds keep what they report, and where they look for whom to trust with it: nobody else
    // looks there.
    for report in ["DeveloperTools", "onnxruntime.db", "/var/lib/ca-certificates"] {
        let told = trace.lines().find(|line| line.contains(report));
        assert_eq!(told, None, "{report}");
    }
}
