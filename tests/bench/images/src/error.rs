//! Why a measurement ended without a figure.

use std::path::PathBuf;

use fedval_disclosure::Withheld;
use fedval_evaluate::EvaluateError;
use fedval_inference::LibraryError;
use fedval_vault::VaultError;

/// A measurement did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum BenchError {
    /// A file, a folder or a program failed.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The manifest has no line to repeat.
    #[error("{} lists no case", path.display())]
    NoCases {
        /// The manifest.
        path: PathBuf,
    },
    /// The model or the site's size does not make a study.
    #[error("the study is refused: {reason}")]
    Study {
        /// What is wrong with it.
        reason: String,
    },
    /// The evaluation failed.
    #[error("the evaluation failed: {0}")]
    Evaluation(#[from] EvaluateError),
    /// The engine's library cannot be used.
    #[error("the engine cannot be used: {0}")]
    Library(#[from] LibraryError),
    /// The vault failed.
    #[error("the vault failed: {0}")]
    Vault(#[from] VaultError),
    /// The rules let nothing leave, which is none of what is measured.
    #[error("no aggregate leaves: {0}")]
    Withheld(#[from] Withheld),
    /// A program that was measured failed.
    #[error("`{command}` failed: {answer}")]
    Command {
        /// What was started.
        command: String,
        /// What it printed.
        answer: String,
    },
    /// A figure is not JSON.
    #[error("a figure could not be read or written: {0}")]
    Figure(#[source] serde_json::Error),
}
