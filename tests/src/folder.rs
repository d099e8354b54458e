//! Whole folders.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Copies everything below `from` to `to`.
///
/// # Panics
///
/// If a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a writable folder");
    for entry in fs::read_dir(from).expect("a readable folder") {
        let entry = entry.expect("a readable entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("it can be copied");
        }
    }
}

/// Copies a folder to a path where nothing is, with every owner, mode and time, as a backup does.
///
/// # Panics
///
/// If it cannot be copied.
pub fn copy_as_it_is(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().expect("cp runs");
    assert!(copied.success());
}
