//! The two binaries, as a user runs them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use serde_json::Value;

/// Path of a binary of this workspace, built by the same profile as the tests.
///
/// # Panics
///
/// If it was not built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its executable");
    let folder = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing: run `cargo build --workspace --bins`", path.display());
    path
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Answer {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The JSON it printed.
    ///
    /// # Panics
    ///
    /// If it failed or printed something else.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        serde_json::from_str(&self.out).expect("--json prints JSON")
    }
}

/// Runs a command to its end.
///
/// # Panics
///
/// If the binary cannot be started.
#[must_use]
pub fn call(name: &str, home: &Path, args: &[&str]) -> Answer {
    let output = Command::new(binary(name))
        .args(args)
        .arg("--home")
        .arg(home)
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts");
    Answer::of(&output)
}

/// How a process is started where it is not started plainly.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// The program that starts it in its own place, with arguments. Empty: none.
    pub under: Vec<String>,
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
}

/// A long-running process, killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts a binary whose log goes to `log`.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn start(name: &str, home: &Path, args: &[&str], log: &Path) -> Self {
        Self::launch(&Launch::default(), name, home, args, log)
    }

    /// The same under another program, or in another environment.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn launch(launch: &Launch, name: &str, home: &Path, args: &[&str], log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).expect("a log file");
        let mut command = match launch.under.split_first() {
            None => Command::new(binary(name)),
            Some((program, rest)) => {
                let mut command = Command::new(program);
                command.args(rest).arg(binary(name));
                command
            }
        };
        let child = command
            .args(args)
            .arg("--home")
            .arg(home)
            .args(["--log", "debug"])
            .envs(launch.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        Self { child }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    ///
    /// # Panics
    ///
    /// If the system does not say.
    #[must_use]
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of this process")
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        self.ended().is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
