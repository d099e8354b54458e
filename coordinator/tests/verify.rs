//! `fedval verify` on packages that somebody touched: exit code 1 with the part that fails, or 2 where the file
//! cannot be read at all.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod server;

use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};

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

#[test]
fn what_was_touched_is_named_with_exit_code_1() {
    let coordinator = Coordinator::init();
    let touched: [(&str, Change, &str); 6] = [
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
        ("foreign", |f| fs::write(f.join("tables/virus.exe"), b"MZ").unwrap(), "files"),
        ("page", |f| replaced(&f.join("report.html"), "Limits", "Limit"), "report.html"),
        (
            "deep",
            |f| fs::write(f.join("report.json"), "[".repeat(10_000_000)).unwrap(),
            "report.json",
        ),
    ];
    for (name, change, part) in touched {
        let folder = unpacked(&coordinator, name, change);
        let said = coordinator.run(&["verify", arg(&folder)]).refused(1, "VERIFICATION_FAILED");
        assert!(said.contains(part), "{name}: {said}");
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
