//! A small disk of its own, which can be full or read-only. Needs root, as mounting does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A mounted disk, gone when dropped.
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
}

fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().expect("the program is there");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?} (needs root): {error}");
}

impl Disk {
    /// An empty disk of so many KiB.
    ///
    /// # Panics
    ///
    /// If it cannot be mounted.
    #[must_use]
    pub fn of_kib(size: u64) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let disk = Self { folder };
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}k"), "fedval-test", disk.text()]);
        disk
    }

    fn text(&self) -> &str {
        self.folder.path().to_str().expect("a plain path")
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }

    /// Fills it until so many KiB are left.
    ///
    /// # Panics
    ///
    /// If it is fuller than that.
    pub fn leave_kib(&self, left: u64) {
        let ballast = self.ballast();
        let _ = fs::remove_file(&ballast);
        let free = self.free_kib();
        assert!(free >= left, "{free} KiB are left");
        let bytes = usize::try_from((free - left) * 1024).expect("a small disk");
        // Whoever works on the disk may take the last of it first: then it is as full as can be.
        match fs::write(&ballast, vec![1; bytes]) {
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {}
            written => written.expect("a file on this disk"),
        }
    }

    /// Frees what was filled.
    ///
    /// # Panics
    ///
    /// If the disk refuses.
    pub fn free(&self) {
        fs::remove_file(self.ballast()).expect("a ballast");
    }

    fn free_kib(&self) -> u64 {
        let found = rustix::fs::statvfs(self.folder.path()).expect("a mounted disk");
        found.f_bavail * found.f_frsize / 1024
    }

    /// From now on nothing can be written.
    pub fn freeze(&self) {
        run("mount", &["-o", "remount,ro", self.text()]);
    }

    /// It can be written again.
    pub fn thaw(&self) {
        run("mount", &["-o", "remount,rw", self.text()]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that is about to end may still hold a file.
        let _ = Command::new("umount").args(["--lazy", self.text()]).status();
    }
}
