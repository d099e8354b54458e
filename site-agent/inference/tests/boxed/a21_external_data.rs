//! A21, A22: weights in other files, named in every way that has led somewhere in other engines.
//!
//! That nothing is opened, whatever they name, is traced on the real agent by `model_attacks` in
//! `tests/`.

use fedval_ambient::Problem as _;
use fedval_inference::inspect_model;
use libtest_mimic::Trial;
use tract_onnx::pb::{AttributeProto, GraphProto, StringStringEntryProto, TensorProto};

use crate::onnx_file::{around, bytes, floats, node_with, specification, tiny_cnn};
use crate::{LIMITS, refuses, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a21_weights_in_other_files", a21_weights_in_other_files_are_refused()),
        trial("a21_every_mark_of_other_files", a21_every_mark_of_other_files_is_refused()),
        trial("a22_weights_behind_links", a22_weights_behind_links_and_devices_are_refused()),
    ]
}

fn entry(key: &str, value: &str) -> StringStringEntryProto {
    StringStringEntryProto { key: key.to_owned(), value: value.to_owned() }
}

/// A tensor that says its numbers stand in `location`.
fn elsewhere(name: &str, location: &str) -> TensorProto {
    TensorProto {
        external_data: vec![entry("location", location), entry("length", "4")],
        data_location: Some(1),
        ..floats(name, &[1, 1, 1, 1], &[])
    }
}

/// The file `location` as a weight of the graph, and as the value of a node.
fn models(location: &str) -> [Vec<u8>; 2] {
    let initializer = vec![elsewhere("weight", location), floats("bias", &[1], &[-1.0])];
    let stored = GraphProto { initializer, ..tiny_cnn() };
    let value = AttributeProto {
        name: "value".to_owned(),
        t: Some(elsewhere("", location)),
        ..AttributeProto::default()
    };
    let mut constant = around("Relu");
    constant.node.push(node_with("Constant", &[], "unused", vec![value]));
    [bytes(stored), bytes(constant)]
}

async fn refuses_each(locations: &[&str]) {
    for location in locations {
        for model in models(location) {
            // The bytes are all that is looked at: there is no file system to be led through.
            let inspected = inspect_model(model.clone(), &specification(&model), LIMITS.max_nodes);
            assert_eq!(inspected.unwrap_err().code(), "MODEL_EXTERNAL_DATA", "{location}");
            refuses(location, &model, "MODEL_EXTERNAL_DATA").await;
        }
    }
}

async fn a21_weights_in_other_files_are_refused() {
    refuses_each(&[
        "../../etc/passwd",
        "/etc/passwd",
        "sub/../../../../etc/passwd",
        "weights.bin",
        "",
        "file:///etc/passwd",
        "*/_ORT_MEM_ADDR_/*",
    ])
    .await;
}

async fn a22_weights_behind_links_and_devices_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    std::fs::write(&target, [0; 4]).unwrap();
    let (symlink, hardlink) = (folder.path().join("symlink"), folder.path().join("hardlink"));
    std::os::unix::fs::symlink(&target, &symlink).unwrap();
    std::fs::hard_link(&target, &hardlink).unwrap();
    let fifo = folder.path().join("fifo");
    // Whoever opened it would wait for ever.
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let [symlink, hardlink, fifo] = [&symlink, &hardlink, &fifo].map(|path| path.to_str().unwrap());
    refuses_each(&[symlink, hardlink, fifo, "/dev/zero", "/proc/self/fd/0", "/dev/stdin"]).await;
}

async fn a21_every_mark_of_other_files_is_refused() {
    let weight = || floats("weight", &[1, 1, 1, 1], &[2.0]);
    for marked in [
        // Marked but not said where; said where but not marked.
        TensorProto { data_location: Some(1), ..weight() },
        TensorProto { external_data: vec![entry("location", "/etc/passwd")], ..weight() },
        TensorProto { external_data: vec![entry("offset", "0")], ..weight() },
    ] {
        let initializer = vec![marked, floats("bias", &[1], &[-1.0])];
        let model = bytes(GraphProto { initializer, ..tiny_cnn() });
        refuses("a mark of external data", &model, "MODEL_EXTERNAL_DATA").await;
    }
}
