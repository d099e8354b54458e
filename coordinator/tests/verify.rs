//! `fedval verify` on packages that somebody touched: exit code 1 with the part that fails, or 2 where the file
//! cannot be read at all.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "verify/hostile.rs"]
mod hostile;
mod server;

use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};

use fedval_ambient::is_plain;
use serde_json::Value;
use server::{Coordinator, arg};

/// What somebody does to a package.
type Change = fn(&Path);

/// A package that was handed out.
fn golden() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../common/report/tests/golden");
    let mut packages: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    packages.sort();
    fs::read(packages.last().unwrap()).unwrap()
}

/// The archive as a folder, after `change`.
fn unpacked(coordinator: &Coordinator, name: &str, change: impl Fn(&Path)) -> PathBuf {
    let folder = coordinator.beside(name);
    for (path, bytes) in fedval_report::unpack(Cursor::new(golden())).unwrap() {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    change(&folder);
    folder
}

fn archive(coordinator: &Coordinator, name: &str, bytes: &[u8]) -> PathBuf {
    let path = coordinator.beside(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn replaced(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} does not hold {from}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// Takes out of a site's result the rows of groups that it withheld.
fn without_withheld_rows(folder: &Path) {
    let path = folder.join("evidence/sites/site-b.json");
    let mut result: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let rows = result["outcome"]["released"]["subgroups"].as_array_mut().unwrap();
    let before = rows.len();
    rows.retain(|row| row["performance"] != "suppressed");
    assert!(rows.len() < before);
    fs::write(&path, result.to_string()).unwrap();
}

/// The lines about parts, as a person sees them.
fn lines(stdout: &str) -> Vec<&str> {
    stdout
        .lines()
        .filter(|line| line.starts_with("holds  ") || line.starts_with("FAILS  "))
        .collect()
}

#[test]
fn each_part_has_its_line_and_scripts_get_one_value() {
    let coordinator = Coordinator::init();
    let changed = unpacked(&coordinator, "changed", |folder| {
        replaced(&folder.join("report.html"), "Limits", "Limit");
    });
    let ran = coordinator.run(&["verify", arg(&changed)]);
    ran.refused(1, "VERIFICATION_FAILED");
    let stdout = ran.stdout();
    let shown = lines(&stdout);
    let ran = coordinator.run(&["--json", "verify", arg(&changed)]);
    assert_eq!((ran.code(), ran.stdout().lines().count()), (1, 1));
    let value: Value = serde_json::from_str(&ran.stdout()).unwrap();
    let line = |part: &Value| {
        let mark = if part["holds"] == true { "holds" } else { "FAILS" };
        format!("{mark}  {}", part["part"].as_str().unwrap())
    };
    let parts: Vec<String> = value["parts"].as_array().unwrap().iter().map(line).collect();
    assert_eq!(shown, parts);
    assert!(
        shown.contains(&"holds  report.json: numbers") && shown.contains(&"FAILS  report.html")
    );
    // What is said of all of them stands behind.
    assert!(stdout.trim_end().ends_with("give --root FINGERPRINT."), "{stdout}");
}

#[test]
fn a48_what_a_file_is_called_does_nothing_to_a_terminal() {
    let coordinator = Coordinator::init();
    for (name, path) in [
        ("evidence", "evidence/\u{202e}gpj.\u{1b}[2J"),
        ("figures", "figures/\u{1b}]0;met\u{7}.svg"),
        ("signatures", "evidence/signatures/\u{1b}[31m-approval.json"),
    ] {
        let folder = unpacked(&coordinator, name, |folder| {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"{}").unwrap();
        });
        let ran = coordinator.run(&["verify", arg(&folder)]);
        ran.refused(1, "VERIFICATION_FAILED");
        let seen = ran.stdout() + &ran.stderr();
        assert!(seen.chars().all(|c| is_plain(c) || c == '\n'), "{seen:?}");
        assert!(seen.contains("\\u{1b}"), "{seen}");
    }
}

#[test]
fn what_was_touched_is_named_with_exit_code_1() {
    let coordinator = Coordinator::init();
    let touched: [(&str, Change, &str); 7] = [
        (
            "digit",
            |f| replaced(&f.join("evidence/sites/site-a.json"), "1", "2"),
            "evidence/sites/site-a.json",
        ),
        (
            "twice",
            |f| replaced(&f.join("evidence/round.json"), "{", "{\"sites\":[],"),
            "evidence/root.pem",
        ),
        ("gone", |f| fs::remove_file(f.join("evidence/sites/site-a.json")).unwrap(), "files"),
        ("foreign", |f| fs::write(f.join("tables/virus.exe"), b"MZ").unwrap(), "tables/virus.exe"),
        ("page", |f| replaced(&f.join("report.html"), "Limits", "Limit"), "report.html"),
        ("row", without_withheld_rows, "evidence/sites/site-b.json"),
        (
            "deep",
            |f| fs::write(f.join("report.json"), "[".repeat(10_000_000)).unwrap(),
            "report.json",
        ),
    ];
    for (name, change, part) in touched {
        let folder = unpacked(&coordinator, name, change);
        let said = coordinator.run(&["verify", arg(&folder)]).refused(1, "VERIFICATION_FAILED");
        assert!(said.contains(&format!("error: {part} does not hold")), "{name}: {said}");
    }
    let untouched = archive(&coordinator, "untouched.zip", &golden());
    assert_eq!(coordinator.run(&["verify", arg(&untouched)]).code(), 0);
    let elsewhere = coordinator.home().join("pki/root.pem");
    let other = coordinator.run(&["verify", arg(&untouched), "--root", arg(&elsewhere)]);
    let said = other.refused(1, "VERIFICATION_FAILED");
    assert!(said.contains("evidence/root.pem"), "{said}");
}

#[test]
fn what_is_no_archive_is_unreadable_with_exit_code_2() {
    let coordinator = Coordinator::init();
    let golden = golden();
    let half = golden.len() / 2;
    let between = [&golden[..half], b"PK\x03\x04 foreign", &golden[half..]].concat();
    let unreadable = [
        ("cut.zip", golden[..half].to_vec()),
        ("empty.zip", Vec::new()),
        ("letter.zip", b"Dear sir or madam".to_vec()),
        ("before.zip", [&b"#!/bin/sh\n"[..], &golden].concat()),
        ("between.zip", between),
    ];
    for (name, bytes) in unreadable {
        let path = archive(&coordinator, name, &bytes);
        coordinator.run(&["verify", arg(&path)]).refused(2, "PACKAGE_UNREADABLE");
    }
    // Four gibibytes that take no room on the disk.
    let sparse = coordinator.beside("sparse.zip");
    File::create(&sparse).unwrap().set_len(4 << 30).unwrap();
    coordinator.run(&["verify", arg(&sparse)]).refused(2, "PACKAGE_UNREADABLE");
    let pipe = coordinator.beside("endless");
    std::os::unix::fs::symlink("/dev/zero", &pipe).unwrap();
    coordinator.run(&["verify", arg(&pipe)]).refused(2, "PACKAGE_UNREADABLE");
}
