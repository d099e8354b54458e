//! Why the demo stopped, and what to type next.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use fedval_ambient::{Exit, Problem};

use crate::hospital::CohortError;

/// Lines of a log that are shown with a failure.
const LOG_LINES: usize = 15;

/// The demo stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The output folder holds something that no earlier run made.
    #[error("{} exists and was not made by the demo", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// A file, a folder or a process was refused by the machine.
    #[error("{} cannot be used", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A hospital could not be made.
    #[error("the files of {hospital} cannot be made")]
    Hospital {
        /// The hospital.
        hospital: &'static str,
        /// Why.
        #[source]
        source: CohortError,
    },
    /// A command ended with an error.
    #[error("`{command}` ended with {ending}")]
    Command {
        /// The command, as a person would repeat it.
        command: String,
        /// How it ended.
        ending: String,
        /// Its standard error.
        log: PathBuf,
    },
    /// A command printed something else than the contract says.
    #[error("`{command}` gave no usable answer: {missing}")]
    Answer {
        /// The command, as a person would repeat it.
        command: String,
        /// What is missing in it.
        missing: String,
        /// Its standard error.
        log: PathBuf,
    },
    /// A site ended otherwise than the demo's hospitals must.
    #[error("{site} ended as `{status}`, where `{expected}` was due")]
    Outcome {
        /// The site.
        site: String,
        /// How it ended.
        status: String,
        /// What the demo is made to show.
        expected: &'static str,
        /// The agent's log.
        log: PathBuf,
    },
    /// The sites did not finish in time.
    #[error("after {seconds} s the round still waits: {waiting}")]
    TooSlow {
        /// How long the demo waited.
        seconds: i64,
        /// Sites and their phases.
        waiting: String,
        /// The coordinator's log.
        log: PathBuf,
    },
    /// Something about a patient was found outside the hospitals.
    #[error("a patient's identity stands in {}", path.display())]
    Leak {
        /// The file.
        path: PathBuf,
    },
}

impl DemoError {
    /// The log that tells more.
    #[must_use]
    pub fn log(&self) -> Option<&Path> {
        match self {
            Self::Command { log, .. }
            | Self::Answer { log, .. }
            | Self::Outcome { log, .. }
            | Self::TooSlow { log, .. } => Some(log),
            _ => None,
        }
    }

    /// The last lines of that log.
    #[must_use]
    pub fn log_lines(&self) -> Vec<String> {
        let text = self.log().and_then(|log| fs::read(log).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].to_vec()
    }
}

impl Problem for DemoError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotOurs { .. } => "DEMO_FOLDER_NOT_OURS",
            Self::Io { .. } => "DEMO_MACHINE",
            Self::Hospital { .. } => "DEMO_HOSPITAL",
            Self::Command { .. } => "DEMO_COMMAND",
            Self::Answer { .. } => "DEMO_ANSWER",
            Self::Outcome { .. } => "DEMO_OUTCOME",
            Self::TooSlow { .. } => "DEMO_TOO_SLOW",
            Self::Leak { .. } => "DEMO_LEAK",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotOurs { .. } => {
                "choose another folder: `cargo demo --out another-folder`".to_owned()
            }
            Self::Io { .. } | Self::Hospital { .. } => {
                "make room or correct the permission, then run `cargo demo` again".to_owned()
            }
            Self::Command { command, .. } | Self::Answer { command, .. } => {
                format!("repeat this step by hand: `{command}`")
            }
            Self::Outcome { log, .. } => {
                format!("read {}, then run `cargo demo` again", log.display())
            }
            Self::TooSlow { .. } => {
                "let other work on this machine end, then run `cargo demo` again".to_owned()
            }
            Self::Leak { path } => {
                format!("report this as a security defect, with {}", path.display())
            }
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NotOurs { .. } => Exit::Usage,
            Self::Io { .. } | Self::Hospital { .. } | Self::TooSlow { .. } => Exit::Machine,
            Self::Leak { .. } => Exit::AnswerIsNo,
            Self::Command { .. } | Self::Answer { .. } | Self::Outcome { .. } => Exit::Bug,
        }
    }
}
