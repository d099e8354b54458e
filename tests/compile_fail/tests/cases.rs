//! What must not type-check, so that no code path leads around the gate, and nothing leaves but what the ledger holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use fedval_compile_fail::{Objection, expected, objected};

/// What has to be objected to each program.
fn cases() -> BTreeMap<String, Vec<Objection>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let case = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("the folder can be listed").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a plain name");
        let source = fs::read_to_string(&path).expect("a program is text");
        (name.to_owned(), expected(&source))
    };
    fs::read_dir(folder).expect("there are programs").map(case).collect()
}

#[test]
fn no_program_compiles_and_each_fails_for_the_reason_that_it_names() {
    let cases = cases();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        // Of the whole workspace: with the features that its crates were built with already.
        .args(["build", "--workspace", "--locked", "--keep-going", "--message-format=json"])
        .arg("--features=fedval-compile-fail/cases");
    for name in cases.keys() {
        cargo.args(["--example", name.as_str()]);
    }
    let output = cargo.output().expect("cargo runs");
    let objected = objected(&String::from_utf8_lossy(&output.stdout));
    let mut differing = Vec::new();
    for (name, expected) in &cases {
        let objected = objected.get(name).cloned().unwrap_or_default();
        if expected.is_empty() || objected != *expected {
            differing.push(format!("{name}\n  is to fail: {expected:#?}\n  fails: {objected:#?}"));
        }
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(differing.is_empty(), "{}\n{said}", differing.join("\n"));
    assert!(cases.len() >= 14, "some programs are gone: {:?}", cases.keys());
}
