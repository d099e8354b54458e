//! How an error speaks to a person: what happened, a stable code, what to do next.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// What a process says by its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The answer is no: verification or qualification failed.
    AnswerIsNo = 1,
    /// Wrong usage or unreadable input.
    Usage = 2,
    /// The other side cannot be reached.
    Unreachable = 3,
    /// Refused by policy.
    Refused = 4,
    /// This machine: disk, permission.
    Machine = 5,
    /// A bug.
    Bug = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that a person can act on.
///
/// `Display` says what happened, in one lowercase clause without advice.
pub trait Problem: Error {
    /// Stable identifier in SCREAMING_SNAKE_CASE: never renamed, never reused.
    fn code(&self) -> &'static str;

    /// The next command to type or person to ask; `None` where they can do nothing.
    fn remedy(&self) -> Option<String>;

    /// What a command that stops here exits with.
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// A problem of any kind on its way to a person's terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub message: String,
    /// Causes, outermost first.
    pub causes: Vec<String>,
    /// Stable identifier.
    pub code: String,
    /// What to do next.
    pub remedy: Option<String>,
    /// Exit code.
    pub exit: Exit,
}

impl Failure {
    /// A failure that no error type stands behind.
    #[must_use]
    pub fn new(exit: Exit, code: &str, message: impl Into<String>, remedy: &str) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            code: code.to_owned(),
            remedy: Some(remedy.to_owned()),
            exit,
        }
    }

    /// A failure of this machine's disk: `action` could not be done with `path`.
    #[must_use]
    pub fn disk(action: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(
            Exit::Machine,
            "DISK",
            format!("cannot {action} {}: {error}", path.display()),
            "check that the path exists, belongs to this user and has free space",
        )
    }
}

impl<P: Problem> From<P> for Failure {
    fn from(problem: P) -> Self {
        let mut causes = Vec::new();
        let mut source = problem.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self {
            message: problem.to_string(),
            causes,
            code: problem.code().to_owned(),
            remedy: problem.remedy(),
            exit: problem.exit(),
        }
    }
}

impl fmt::Display for Failure {
    /// The form every command prints on its standard error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("error: {}", self.message);
        for cause in &self.causes {
            write!(text, "\n  because {cause}")?;
        }
        write!(text, "\n  code   {}", self.code)?;
        if let Some(remedy) = &self.remedy {
            write!(text, "\n\nhint: {remedy}")?;
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_prints_what_happened_the_code_and_the_next_step() {
        let failure = Failure::new(
            Exit::Refused,
            "POLICY_MISSING",
            "this site has no signed policy",
            "run `fedval-agent policy init`, edit the file, then `fedval-agent policy sign`",
        );
        assert_eq!(
            failure.to_string(),
            "error: this site has no signed policy\n  code   POLICY_MISSING\n\nhint: run \
             `fedval-agent policy init`, edit the file, then `fedval-agent policy sign`"
        );
    }
}
