//! The parent's side of a box.

use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use fedval_ambient::{Exit, Problem};
use rustix::process::Signal;
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

use crate::frame::{self, Received};
use crate::jail::{Confinement, Step};
use crate::library::SealedLibrary;
use crate::pipe::widen;
use crate::program::{BoxLimits, BoxProgram};
use crate::spawner;

/// How long a child may take from its start to its report that it is confined.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A confined child that answers one request after the other.
///
/// It is killed when it is dropped, and by the kernel when this process dies.
#[derive(Debug)]
pub struct BoxedChild {
    child: Child,
    requests: ChildStdin,
    replies: ChildStdout,
    max_reply_bytes: u64,
    /// False from the start of an exchange until its reply is whole: a call that failed or was
    /// cancelled leaves the pipes between two frames, so no later call may use them.
    usable: bool,
}

/// Why a box could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The process could not be created.
    #[error("a sandboxed process could not be started")]
    NotStarted {
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The child could not give up its rights, and left.
    #[error("this machine cannot confine a process: {missing} is refused")]
    NotConfined {
        /// What the kernel did not grant.
        missing: &'static str,
    },
    /// The child ended or kept silent before it reported that it is confined.
    #[error("a sandboxed process did not report that it is confined")]
    NotReady,
}

impl SpawnError {
    /// Whether a library that was handed in may be why, which is loaded before the child gives up its rights: it ended its
    /// process, or started a thread there. Everything else is this machine's own.
    #[must_use]
    pub fn may_be_of_library(&self) -> bool {
        match self {
            Self::NotReady => true,
            Self::NotConfined { missing } => *missing == Step::OnlyThread.as_str(),
            Self::NotStarted { .. } => false,
        }
    }
}

impl Problem for SpawnError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotStarted { .. } => "SANDBOX_NOT_STARTED",
            Self::NotConfined { .. } => "SANDBOX_UNAVAILABLE",
            Self::NotReady => "SANDBOX_NOT_READY",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotStarted { .. } => {
                "check this user's limits on processes and memory, then try again".to_owned()
            }
            Self::NotConfined { .. } => {
                "run the agent on Linux 5.13 or later with Landlock and seccomp enabled; in a \
                 container, allow both system calls"
                    .to_owned()
            }
            Self::NotReady => "raise the memory limit of sandboxed processes".to_owned(),
        })
    }

    fn exit(&self) -> Exit {
        Exit::Machine
    }
}

/// Why a request was not answered. The child is gone in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The child ended: panic, abort or out of memory.
    #[error("the sandboxed process ended without an answer")]
    Died,
    /// The kernel ended the child for a system call that nothing honest makes.
    #[error("the sandboxed process was ended for a forbidden system call")]
    Forbidden,
    /// The child did not answer in time.
    #[error("the sandboxed process did not answer in time")]
    TimedOut,
    /// The child announced a reply above the limit.
    #[error("the sandboxed process answered with too many bytes")]
    ReplyTooLong,
}

impl Problem for CallError {
    fn code(&self) -> &'static str {
        match self {
            Self::Died => "SANDBOX_DIED",
            Self::Forbidden => "SANDBOX_FORBIDDEN_CALL",
            Self::TimedOut => "SANDBOX_TIMEOUT",
            Self::ReplyTooLong => "SANDBOX_REPLY_TOO_LONG",
        }
    }

    fn remedy(&self) -> Option<String> {
        None
    }
}

impl BoxedChild {
    /// Starts `program` and waits until it has confined itself.
    ///
    /// # Errors
    ///
    /// See [`SpawnError`]; a child that cannot be confined does not run.
    pub async fn spawn(program: &BoxProgram, limits: &BoxLimits) -> Result<Self, SpawnError> {
        Self::start(program, limits, None, None).await
    }

    /// The same for a child that reads a file by itself, as [`HandedFile`](crate::HandedFile): it can
    /// read this one and open no other.
    ///
    /// # Errors
    ///
    /// See [`SpawnError`].
    pub async fn spawn_with_file(
        program: &BoxProgram,
        limits: &BoxLimits,
        file: File,
    ) -> Result<Self, SpawnError> {
        Self::start(program, limits, Some(file), None).await
    }

    /// The same for a child that loads a shared library, from the path that is its last argument and before it
    /// calls [`serve`](crate::serve): what it opens or starts there is its own affair, and a library that
    /// starts a thread leaves it unconfined, so that it does not run.
    ///
    /// # Errors
    ///
    /// See [`SpawnError`].
    pub async fn spawn_with_library(
        program: &BoxProgram,
        limits: &BoxLimits,
        file: File,
        library: &SealedLibrary,
    ) -> Result<Self, SpawnError> {
        Self::start(program, limits, Some(file), Some(library)).await
    }

    async fn start(
        program: &BoxProgram,
        limits: &BoxLimits,
        file: Option<File>,
        library: Option<&SealedLibrary>,
    ) -> Result<Self, SpawnError> {
        let mut command = program.command(file);
        command.envs(library.into_iter().flat_map(SealedLibrary::environment));
        let mut child = spawner::start(command, library.cloned())
            .await
            .map_err(|source| SpawnError::NotStarted { source })?;
        let (Some(requests), Some(replies)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(SpawnError::NotReady);
        };
        widen(&requests);
        widen(&replies);
        let max_reply_bytes = limits.max_reply_bytes;
        let mut boxed = Self { child, requests, replies, max_reply_bytes, usable: true };
        let report = boxed
            .call(&[&limits.to_frame()], START_LIMIT)
            .await
            .map_err(|_| SpawnError::NotReady)?;
        match Confinement::from_report(&report) {
            Some(Confinement::Complete) => Ok(boxed),
            Some(Confinement::Missing(step)) => {
                Err(SpawnError::NotConfined { missing: step.as_str() })
            }
            None => Err(SpawnError::NotReady),
        }
    }

    /// Sends the parts of a request as one and waits for the reply, at most for `wall_clock`.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. After any error, and after a call that was cancelled, the child is
    /// killed and every later call answers [`CallError::Died`].
    pub async fn call(
        &mut self,
        request: &[&[u8]],
        wall_clock: Duration,
    ) -> Result<Vec<u8>, CallError> {
        if !std::mem::replace(&mut self.usable, false) {
            self.kill().await;
            return Err(CallError::Died);
        }
        let answered = timeout(wall_clock, self.exchange(request)).await;
        let error = match answered {
            Ok(Ok(Received::Frame(reply))) => {
                self.usable = true;
                return Ok(reply);
            }
            Ok(Ok(Received::TooLong)) => CallError::ReplyTooLong,
            Ok(Err(_)) => CallError::Died,
            Err(_) => CallError::TimedOut,
        };
        self.kill().await;
        Err(if error == CallError::Died && self.was_forbidden() {
            CallError::Forbidden
        } else {
            error
        })
    }

    /// The child's process id; `None` once it has ended.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    async fn exchange(&mut self, request: &[&[u8]]) -> io::Result<Received> {
        frame::send(&mut self.requests, request).await?;
        frame::receive(&mut self.replies, self.max_reply_bytes).await
    }

    /// Whether the filter of system calls ended the child, which has been reaped.
    fn was_forbidden(&mut self) -> bool {
        let ended = self.child.try_wait().ok().flatten();
        ended.and_then(|status| status.signal()) == Some(Signal::SYS.as_raw())
    }

    async fn kill(&mut self) {
        // An error means that it has already ended and was reaped.
        let _ = self.child.kill().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_confines_nothing_is_not_blamed_on_a_library() {
        let missing = |step: Step| SpawnError::NotConfined { missing: step.as_str() };
        assert!(SpawnError::NotReady.may_be_of_library());
        assert!(missing(Step::OnlyThread).may_be_of_library());
        assert!(!missing(Step::FileAccess).may_be_of_library());
        assert!(!missing(Step::SystemCalls).may_be_of_library());
        assert!(!SpawnError::NotStarted { source: io::Error::other("none") }.may_be_of_library());
    }
}
