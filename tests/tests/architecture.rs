//! The walls of the workspace, checked: who may import whom, which outside crate stands where, who
//! may open what is confined to a site, how long a file may be.
//!
//! A new edge is a decision: write it here, in the same change, with its reason in the message.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// For each guarded crate: every crate of ours that its product may import. The unguarded ones are
/// the demonstration and these tests, which alone may see both sides.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("fedval-ambient", &[]),
    ("fedval-proto", &[]),
    ("fedval-stats", &[]),
    ("fedval-qualify", &["stats"]),
    ("fedval-study", &["ambient", "stats"]),
    ("fedval-disclosure", &["stats", "study"]),
    // Sites and whoever judges what they send compute the same.
    ("fedval-preprocess", &["study"]),
    ("fedval-trust", &["ambient", "study"]),
    ("fedval-report", &["disclosure", "preprocess", "stats", "study", "trust"]),
    ("fedval-wire", &["disclosure", "proto", "stats", "study", "trust"]),
    ("fedval-core", &["ambient", "disclosure", "preprocess", "report", "stats", "study", "trust"]),
    ("fedval-store", &["ambient", "core", "study"]),
    (
        "fedval",
        &[
            "ambient",
            "core",
            "disclosure",
            "proto",
            "qualify",
            "report",
            "stats",
            "store",
            "study",
            "trust",
            "wire",
        ],
    ),
    ("fedval-sandbox", &["ambient"]),
    // Masks are measured where they are read, in the box: three numbers cross to the parent, and no mask.
    ("fedval-ingest", &["ambient", "disclosure", "preprocess", "sandbox", "stats", "study"]),
    // The contract of a site's own inference server lies beside the consortium's; neither has to do with the other.
    ("fedval-inference", &["ambient", "disclosure", "proto", "sandbox", "study"]),
    (
        "fedval-evaluate",
        &["disclosure", "inference", "ingest", "preprocess", "stats", "study", "vault"],
    ),
    ("fedval-egress", &["ambient", "disclosure", "proto", "study", "trust", "wire"]),
    ("fedval-vault", &["ambient", "disclosure", "study", "trust"]),
    (
        "fedval-agent",
        &[
            "ambient",
            "disclosure",
            "egress",
            "evaluate",
            "inference",
            "ingest",
            "study",
            "trust",
            "vault",
        ],
    ),
];

/// Crates that may see both sides.
const UNGUARDED: &[&str] = &[
    "fedval-bench",
    "fedval-bench-coverage",
    "fedval-bench-disclosure",
    "fedval-bench-images",
    "fedval-bench-report",
    "fedval-bench-statistics",
    "fedval-compile-fail",
    "fedval-demo",
    "fedval-dicom-files",
    "fedval-fuzz",
    "fedval-tests",
];

/// Outside crates (or families, ending in `-`) that stand in few places, and those places.
const OUTSIDE: &[(&str, &[&str])] = &[
    // Seals what a PACS sent of a series; all that signs, hashes and trusts is elsewhere.
    ("aws-lc-rs", &["fedval-ingest"]),
    ("axum", &["fedval"]),
    ("dicom-", &["fedval-ingest", "fedval-demo"]),
    ("ed25519-dalek", &["fedval-trust"]),
    ("getrandom", &["fedval-ambient"]),
    ("landlock", &["fedval-sandbox"]),
    ("object_store", &["fedval-store"]),
    // The benchmark writes what it measures.
    ("parquet", &["fedval-ingest", "fedval-bench-images"]),
    ("ort", &["fedval-inference"]),
    ("rcgen", &["fedval-trust"]),
    // Trust in a PACS is its hospital's own, and nothing of the consortium's.
    ("rustls", &["fedval-trust", "fedval", "fedval-egress", "fedval-ingest"]),
    ("seccompiler", &["fedval-sandbox"]),
    ("sqlx", &["fedval-store", "fedval-vault"]),
    // The contract, the server, the agent's one connection, a site's own inference server, and the
    // attacker of the tests.
    ("tonic", &["fedval-proto", "fedval", "fedval-egress", "fedval-inference", "fedval-tests"]),
    // The benchmark measures what the engine alone takes.
    ("tract-onnx", &["fedval-inference", "fedval-bench"]),
    ("x509-parser", &["fedval-trust"]),
];

/// Where the content of a `SiteLocal` may be opened: the gate, the crates that compute on it, the
/// site's own disk, and the site's own screens.
const OPENS_SITE_LOCAL: &[&str] = &[
    "common/disclosure/src/gate.rs",
    "common/disclosure/src/site_local.rs",
    "site-agent/evaluate/src/",
    "site-agent/inference/src/",
    "site-agent/ingest/src/",
    "site-agent/src/",
    "site-agent/vault/src/",
];

/// Lines of a source file outside its tests: median, 95th percentile, and the hard cap.
const MEDIAN_LINES: usize = 150;
const P95_LINES: usize = 450;
const MOST_LINES: usize = 600;

/// A member of the workspace.
struct Package {
    name: String,
    folder: PathBuf,
    /// Names of the crates that its product or build script needs.
    needs: BTreeSet<String>,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let package = |package: &Value| Package {
        name: text(&package["name"]),
        folder: PathBuf::from(text(&package["manifest_path"]))
            .parent()
            .expect("a manifest stands in a folder")
            .to_path_buf(),
        needs: package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| text(&dependency["name"]))
            .collect(),
    };
    metadata["packages"].as_array().into_iter().flatten().map(package).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is a member's folder")
}

fn is_ours(name: &str) -> bool {
    name == "fedval" || name.starts_with("fedval-")
}

/// Every product source file, by its path from the workspace's root.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for package in packages() {
        read_sources(&package.folder.join("src"), &mut found);
    }
    assert!(found.contains_key("common/disclosure/src/gate.rs"), "the walk found no sources");
    found
}

fn read_sources(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("every member has a folder src") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            read_sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).expect("members are inside").display().to_string();
            found.insert(name, fs::read_to_string(&path).expect("a source file is text"));
        }
    }
}

/// The part of a source file before its unit tests.
fn product(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod tests").next().unwrap_or(source)
}

#[test]
fn crates_import_only_what_the_architecture_allows() {
    let mut broken = Vec::new();
    for package in packages() {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == package.name) else {
            let known = UNGUARDED.contains(&package.name.as_str());
            assert!(known, "`{}` is in no table: decide what it may import", package.name);
            continue;
        };
        let allowed: Vec<String> = allowed.iter().map(|name| format!("fedval-{name}")).collect();
        let extra = package.needs.iter().filter(|need| is_ours(need) && !allowed.contains(need));
        broken.extend(extra.map(|extra| format!("{} imports {extra}", package.name)));
    }
    assert!(broken.is_empty(), "forbidden: {broken:#?}");
}

#[test]
fn every_crate_in_the_table_is_in_the_workspace() {
    let names: Vec<String> = packages().into_iter().map(|package| package.name).collect();
    for (name, allowed) in MAY_IMPORT {
        assert!(names.iter().any(|member| member == name), "`{name}` is guarded and absent");
        for allowed in *allowed {
            let allowed = format!("fedval-{allowed}");
            assert!(names.contains(&allowed), "`{name}` may import `{allowed}`, which is absent");
        }
    }
}

#[test]
fn the_two_binaries_never_know_each_other() {
    let packages = packages();
    let reached_from = |start: &str| {
        let mut reached = BTreeSet::from([start.to_owned()]);
        let mut waiting = vec![start.to_owned()];
        while let Some(name) = waiting.pop() {
            let needs = packages.iter().find(|p| p.name == name).map(|p| p.needs.clone());
            let ours = needs.into_iter().flatten().filter(|need| is_ours(need));
            waiting.extend(ours.filter(|need| reached.insert(need.clone())));
        }
        reached
    };
    let of_the_coordinator = ["fedval", "fedval-core", "fedval-store"];
    let of_the_agent = [
        "fedval-agent",
        "fedval-egress",
        "fedval-evaluate",
        "fedval-inference",
        "fedval-ingest",
        "fedval-sandbox",
        "fedval-vault",
    ];
    let coordinator = reached_from("fedval");
    let agent = reached_from("fedval-agent");
    assert!(coordinator.contains("fedval-study") && agent.contains("fedval-study"));
    assert!(of_the_agent.iter().all(|name| !coordinator.contains(*name)), "{coordinator:?}");
    assert!(of_the_coordinator.iter().all(|name| !agent.contains(*name)), "{agent:?}");
}

#[test]
fn outside_crates_stand_only_where_they_were_let_in() {
    let is = |family: &str, need: &str| {
        need == family || (family.ends_with('-') && need.starts_with(family))
    };
    let mut broken = Vec::new();
    for package in packages() {
        for need in &package.needs {
            let rule = OUTSIDE.iter().find(|(family, _)| is(family, need));
            if rule.is_some_and(|(_, places)| !places.contains(&package.name.as_str())) {
                broken.push(format!("{} needs {need}", package.name));
            }
        }
    }
    assert!(broken.is_empty(), "forbidden: {broken:#?}");
}

#[test]
fn unsafe_code_is_forbidden_everywhere_but_in_the_sandbox() {
    for package in packages() {
        let manifest = fs::read_to_string(package.folder.join("Cargo.toml")).expect("a manifest");
        let forbids = manifest.contains("[lints]\nworkspace = true")
            || manifest.contains("unsafe_code = \"forbid\"");
        assert!(forbids || package.name == "fedval-sandbox", "`{}` may be unsafe", package.name);
    }
    let workspace =
        fs::read_to_string(root().join("Cargo.toml")).expect("the workspace's manifest");
    assert!(workspace.contains("unsafe_code = \"forbid\""));
}

#[test]
fn what_is_confined_to_a_site_is_opened_only_where_it_may_be() {
    let sources = sources();
    let opens = sources.iter().filter(|(_, text)| product(text).contains("open_on_site"));
    let places: Vec<&String> = opens.map(|(path, _)| path).collect();
    assert!(places.len() > 2, "nobody opens anything: was the method renamed?");
    let allowed = |path: &&&String| OPENS_SITE_LOCAL.iter().any(|place| path.starts_with(place));
    let extra: Vec<_> = places.iter().filter(|path| !allowed(path)).collect();
    assert!(extra.is_empty(), "these may not open a `SiteLocal`: {extra:#?}");
}

#[test]
fn the_vault_is_the_only_ledger() {
    let sources = sources();
    let is_ledger = |text: &str| {
        let mut lines = product(text).lines().map(str::trim_start);
        lines.any(|line| line.starts_with("impl") && line.contains("Ledger for "))
    };
    let places: Vec<&String> =
        sources.iter().filter(|(_, text)| is_ledger(text)).map(|(path, _)| path).collect();
    assert!(
        matches!(&places[..], [path] if path.starts_with("site-agent/vault/src/")),
        "whoever implements `Ledger` decides what may be sent: {places:#?}"
    );
}

#[test]
fn source_files_stay_short() {
    let mut lengths: Vec<(usize, String)> =
        sources().into_iter().map(|(path, text)| (product(&text).lines().count(), path)).collect();
    lengths.sort();
    let (median, p95) = (&lengths[lengths.len() / 2], &lengths[lengths.len() * 95 / 100]);
    let longest = lengths.last().expect("there are sources");
    assert!(longest.0 <= MOST_LINES, "split {} ({} lines) by concern", longest.1, longest.0);
    assert!(p95.0 <= P95_LINES, "one file in twenty is longer than {} lines", p95.0);
    assert!(median.0 <= MEDIAN_LINES, "half of the files are longer than {} lines", median.0);
}

#[test]
fn every_source_file_says_what_it_is() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "begin with a line of `//!`: {silent:#?}");
}
