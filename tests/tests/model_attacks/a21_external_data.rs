//! A21, A22: an agent is traced while models name other files. It opens none of them, and its boxes make no
//! call about any file at all once they are closed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use fedval_tests::process::Launch;
use tract_onnx::pb::{GraphProto, StringStringEntryProto, TensorProto};

use crate::onnx_file::{bytes, floats, tiny_cnn};
use crate::scene::{Scene, harmless};

/// Begins the name of every file that a model names.
const BAIT: &str = "zzcanary-bait";

/// Calls about files, by name or by descriptor to be opened, and the two that close a box.
const TRACED: &str = "trace=%file,open_by_handle_at,socket,connect,memfd_create,seccomp,prctl";

/// A model whose weight stands in `location`.
fn elsewhere(location: &str) -> Vec<u8> {
    let entry = StringStringEntryProto { key: "location".to_owned(), value: location.to_owned() };
    let weight = TensorProto {
        external_data: vec![entry],
        data_location: Some(1),
        ..floats("weight", &[1, 1, 1, 1], &[])
    };
    bytes(GraphProto { initializer: vec![weight, floats("bias", &[1], &[-1.0])], ..tiny_cnn() })
}

/// Asks for models with weights in these places, and returns what the kernel was asked for meanwhile.
fn traced(places: &[String]) -> String {
    let mut scene = Scene::with(|data| data.add_good(60));
    let named: Vec<_> = places.iter().enumerate().collect();
    for (index, place) in &named {
        scene.lock(&format!("bait-{index}"), &elsewhere(place));
    }
    scene.lock("good", &harmless(0));
    let trace = scene.consortium.path("trace");
    let under = ["strace", "-D", "-f", "-qq", "-s", "4096", "-o"].map(str::to_owned);
    let rest = [trace.display().to_string(), "-e".to_owned(), TRACED.to_owned()];
    scene.run(&Launch { under: [&under[..], &rest].concat(), environment: Vec::new() });
    for (index, place) in &named {
        assert_eq!(scene.ask(&format!("bait-{index}")), "MODEL_EXTERNAL_DATA", "{place}");
        assert_eq!(scene.status(&format!("bait-{index}")), "failed");
    }
    scene.serves_the_next("good");
    scene.keeps_its_secrets();
    fs::read_to_string(trace).unwrap()
}

/// The calls of each process that closed itself in, after it did.
fn calls_in_boxes(trace: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut filters: BTreeMap<&str, usize> = BTreeMap::new();
    let mut calls: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in trace.lines() {
        let Some((process, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        // The end of a call that began above, a signal, an exit.
        if ["<...", "---", "+++"].iter().any(|mark| call.starts_with(mark)) {
            continue;
        }
        let is_filter = call.starts_with("seccomp(SECCOMP_SET_MODE_FILTER")
            || call.starts_with("prctl(PR_SET_SECCOMP");
        if is_filter {
            *filters.entry(process).or_default() += 1;
        } else if filters.get(process) == Some(&2) {
            calls.entry(process).or_default().push(call);
        }
    }
    // Those that made no call have to be known as well.
    filters.into_iter().filter(|(_, count)| *count == 2).for_each(|(process, _)| {
        calls.entry(process).or_default();
    });
    calls
}

fn opens_nothing(places: &[String]) {
    let trace = traced(places);
    assert!(trace.contains("manifest.csv"), "the agent was not traced");
    let baits: Vec<_> = trace.lines().filter(|line| line.contains(BAIT)).collect();
    assert!(baits.is_empty(), "{baits:?}");
    let boxes = calls_in_boxes(&trace);
    assert!(boxes.len() > places.len(), "{} boxes", boxes.len());
    for (process, calls) in boxes {
        assert!(calls.is_empty(), "box {process}: {calls:?}");
    }
}

#[test]
fn a21_a_model_that_names_other_files_is_refused_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let absolute = folder.path().join(format!("{BAIT}.bin"));
    fs::write(&absolute, [0; 4]).unwrap();
    opens_nothing(&[
        absolute.display().to_string(),
        format!("../../{BAIT}"),
        format!("sub/../../{BAIT}"),
    ]);
}

fn made(path: &Path, program: &str) {
    assert!(Command::new(program).arg(path).status().unwrap().success());
}

#[test]
fn a22_links_pipes_and_devices_are_refused_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str| folder.path().join(format!("{BAIT}-{name}"));
    let secret = folder.path().join("secret");
    fs::write(&secret, [0; 4]).unwrap();
    symlink(&secret, named("symlink")).unwrap();
    symlink("/dev/zero", named("device")).unwrap();
    fs::hard_link(&secret, named("hardlink")).unwrap();
    made(&named("fifo"), "mkfifo");
    opens_nothing(
        &["symlink", "device", "hardlink", "fifo"].map(|name| named(name).display().to_string()),
    );
}
