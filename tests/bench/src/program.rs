//! The two programs, as a user runs them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;

use crate::BenchError;

/// The coordinator's program.
pub const COORDINATOR: &str = "fedval";
/// The agent's program.
pub const AGENT: &str = "fedval-agent";

/// A program of this workspace, built by the same profile as this benchmark.
///
/// # Errors
///
/// [`BenchError::NotBuilt`] if it is not there.
pub fn path(name: &str) -> Result<PathBuf, BenchError> {
    let own = std::env::current_exe().map_err(BenchError::file(Path::new("/proc/self/exe")))?;
    let path = own.with_file_name(name);
    if path.exists() { Ok(path) } else { Err(BenchError::NotBuilt { path }) }
}

/// Runs a command to its end and reads its JSON.
///
/// # Errors
///
/// [`BenchError`] if it fails or prints something else.
pub fn ask(name: &str, home: &Path, args: &[&str]) -> Result<Value, BenchError> {
    let program = path(name)?;
    let output = Command::new(&program)
        .args(args)
        .arg("--json")
        .arg("--home")
        .arg(home)
        .stdin(Stdio::null())
        .output()
        .map_err(BenchError::file(&program))?;
    let refused = |answer: String| BenchError::Command {
        command: format!("{name} {}", args.join(" ")),
        answer,
    };
    if !output.status.success() {
        return Err(refused(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| refused(error.to_string()))
}

/// A process that runs until it is dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
}

impl Service {
    /// Starts a program whose log goes to a file.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if it does not start.
    pub fn start(name: &str, home: &Path, log: &Path) -> Result<Self, BenchError> {
        let file = File::create(log).map_err(BenchError::file(log))?;
        Self::spawn(name, home, "run", file.into())
    }

    /// Starts the coordinator; its log can be read from the returned pipe.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if it does not start.
    pub fn start_coordinator(home: &Path) -> Result<(Self, ChildStderr), BenchError> {
        let mut service = Self::spawn(COORDINATOR, home, "serve", Stdio::piped())?;
        let log = service.child.stderr.take();
        let log = log.ok_or_else(|| BenchError::unexpected("the coordinator has no log"))?;
        Ok((service, log))
    }

    fn spawn(name: &str, home: &Path, command: &str, log: Stdio) -> Result<Self, BenchError> {
        let program = path(name)?;
        let child = Command::new(&program)
            .args([command, "--log-json", "--home"])
            .arg(home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(BenchError::file(&program))?;
        Ok(Self { child })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    /// Kills, as a power cut would: the programs promise to bear it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
