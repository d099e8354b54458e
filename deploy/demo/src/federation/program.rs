//! The demo's own executable in one of its roles, as processes of their own.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::answer::Answer;
use crate::error::DemoError;

/// First argument of a process that ends when its standard input does.
///
/// However the demo ends, the kernel closes its end of the pipe: no server survives it.
pub const TETHERED: &str = "--tethered";
/// Exit code of a command that cannot reach the other side.
const UNREACHABLE: i32 = 3;
/// Pause between two looks at a process.
const PAUSE: Duration = Duration::from_millis(20);
/// Looks at a command before it counts as stuck: one minute.
const PATIENCE: u32 = 3000;
/// Tries to reach a coordinator that is still starting: some ten seconds.
const TRIES: u32 = 50;
/// Pause between two of them.
const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(150);

/// One party: the coordinator, or the agent of one site.
#[derive(Debug, Clone)]
pub(super) struct Program {
    executable: PathBuf,
    role: &'static str,
    home: PathBuf,
    /// Logs of this party are `NAME.log` and `NAME-service.log` in this folder.
    logs: PathBuf,
    name: String,
}

/// How a command ended.
struct Ended {
    status: ExitStatus,
    output: String,
}

impl Program {
    pub(super) fn new(
        role: &'static str,
        name: &str,
        home: PathBuf,
        logs: &Path,
    ) -> Result<Self, DemoError> {
        let executable = std::env::current_exe()
            .map_err(|source| DemoError::Io { path: PathBuf::from(role), source })?;
        Ok(Self { executable, role, home, logs: logs.to_owned(), name: name.to_owned() })
    }

    /// The party's folder.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Where the party's commands write their standard error.
    pub(super) fn log(&self) -> PathBuf {
        self.logs.join(format!("{}.log", self.name))
    }

    /// Where the party's long-running process writes.
    pub(super) fn service_log(&self) -> PathBuf {
        self.logs.join(format!("{}-service.log", self.name))
    }

    /// Runs a command to its end and returns what it printed.
    pub(super) fn run(&self, args: &[&str]) -> Result<String, DemoError> {
        let ended = self.ended(args)?;
        self.successful(args, ended)
    }

    /// The same, tried again while the other side is still starting.
    pub(super) fn run_when_reachable(&self, args: &[&str]) -> Result<String, DemoError> {
        for _ in 1..TRIES {
            let before = self.log_length();
            let ended = self.ended(args)?;
            if ended.status.code() != Some(UNREACHABLE) {
                return self.successful(args, ended);
            }
            self.forget_since(before)?;
            thread::sleep(PAUSE_BETWEEN_TRIES);
        }
        self.run(args)
    }

    fn log_length(&self) -> u64 {
        fs::metadata(self.log()).map_or(0, |log| log.len())
    }

    /// Cuts the log: only the last try is worth reading.
    fn forget_since(&self, length: u64) -> Result<(), DemoError> {
        let log = self.log();
        append(&log)?.set_len(length).map_err(|source| DemoError::Io { path: log, source })
    }

    /// Runs a command that answers in JSON.
    pub(super) fn ask(&self, args: &[&str]) -> Result<Answer, DemoError> {
        let args = [args, &["--json"]].concat();
        self.answer(&args, &self.run(&args)?)
    }

    /// The same, tried again while the other side is still starting.
    pub(super) fn ask_when_reachable(&self, args: &[&str]) -> Result<Answer, DemoError> {
        let args = [args, &["--json"]].concat();
        self.answer(&args, &self.run_when_reachable(&args)?)
    }

    fn answer(&self, args: &[&str], text: &str) -> Result<Answer, DemoError> {
        let (command, log) = (self.typed(args), self.log());
        match serde_json::from_str::<Value>(text) {
            Ok(value) => Ok(Answer::new(value, command, log)),
            Err(error) => Err(DemoError::Answer { command, missing: error.to_string(), log }),
        }
    }

    /// Starts a process that runs until it is dropped.
    pub(super) fn start(&self, args: &[&str]) -> Result<Service, DemoError> {
        let log = self.service_log();
        let file = append(&log)?;
        let output =
            file.try_clone().map_err(|source| DemoError::Io { path: log.clone(), source })?;
        let child = Command::new(&self.executable)
            .arg(TETHERED)
            .arg(self.role)
            .args(args)
            .arg("--home")
            .arg(&self.home)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(file)
            .spawn()
            .map_err(|source| DemoError::Io { path: self.executable.clone(), source })?;
        Ok(Service { child, command: self.typed(args), log })
    }

    fn ended(&self, args: &[&str]) -> Result<Ended, DemoError> {
        let log = self.log();
        let io_error = |source| DemoError::Io { path: log.clone(), source };
        let mut errors = append(&log)?;
        writeln!(errors, "$ {}", self.typed(args)).map_err(io_error)?;
        // A file, not a pipe: nobody has to read while the command runs.
        let printed = self.logs.join(format!("{}.out", self.name));
        let output = File::create(&printed).map_err(io_error)?;
        let mut child = Command::new(&self.executable)
            .arg(self.role)
            .args(args)
            .arg("--home")
            .arg(&self.home)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|source| DemoError::Io { path: self.executable.clone(), source })?;
        let status = self.waited(&mut child, args)?;
        let output = fs::read_to_string(&printed).map_err(io_error)?;
        fs::remove_file(&printed).map_err(io_error)?;
        Ok(Ended { status, output })
    }

    fn waited(&self, child: &mut Child, args: &[&str]) -> Result<ExitStatus, DemoError> {
        let io_error = |source| DemoError::Io { path: self.executable.clone(), source };
        for _ in 0..PATIENCE {
            if let Some(status) = child.try_wait().map_err(io_error)? {
                return Ok(status);
            }
            thread::sleep(PAUSE);
        }
        // It may have ended in between; either way it is gone.
        let _ = child.kill();
        let _ = child.wait();
        let ending = "no answer within a minute".to_owned();
        Err(DemoError::Command { command: self.typed(args), ending, log: self.log() })
    }

    fn successful(&self, args: &[&str], ended: Ended) -> Result<String, DemoError> {
        if ended.status.success() {
            return Ok(ended.output);
        }
        let ending = ended.status.to_string();
        Err(DemoError::Command { command: self.typed(args), ending, log: self.log() })
    }

    /// The command as a person would repeat it.
    fn typed(&self, args: &[&str]) -> String {
        format!("cargo demo {} {} --home {}", self.role, args.join(" "), self.home.display())
    }
}

fn append(path: &Path) -> Result<File, DemoError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|source| DemoError::Io { path: path.to_owned(), source })
}

/// A process that runs until this value is dropped.
#[derive(Debug)]
pub(super) struct Service {
    child: Child,
    command: String,
    log: PathBuf,
}

impl Service {
    /// Finds out whether the process is still there.
    pub(super) fn check(&mut self) -> Result<(), DemoError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(DemoError::Command {
                command: self.command.clone(),
                ending: format!("{status}, although it must go on running"),
                log: self.log.clone(),
            }),
            Err(source) => Err(DemoError::Io { path: self.log.clone(), source }),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Neither fails unless the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
