//! Why a measurement ended without a figure.

use std::path::{Path, PathBuf};

use fedval_egress::EgressError;

/// A measurement did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// A file or folder failed.
    #[error("{} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A program of the workspace is not there.
    #[error("{} is missing: run `cargo build --release --bins`", path.display())]
    NotBuilt {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A command failed.
    #[error("`{command}` failed: {answer}")]
    Command {
        /// What was typed.
        command: String,
        /// What it answered.
        answer: String,
    },
    /// Something that was waited for did not come.
    #[error("waited in vain until {until}; the logs lie in {}", folder.display())]
    InVain {
        /// What was waited for.
        until: &'static str,
        /// Where the logs lie.
        folder: PathBuf,
    },
    /// A call to the coordinator failed.
    #[error("a call to the coordinator failed")]
    Call(#[from] EgressError),
    /// Anything else that contradicts how the benchmark was set up.
    #[error("{what}")]
    Unexpected {
        /// What was found.
        what: String,
    },
}

impl BenchError {
    /// A failure of the file at `path`.
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { path, source }
    }

    /// Something unexpected.
    pub fn unexpected(what: impl Into<String>) -> Self {
        Self::Unexpected { what: what.into() }
    }
}
