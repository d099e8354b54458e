//! A study as its author writes it: TOML, checked as a whole before anything is sent.

mod conditions;
mod detection;
mod error;
mod output;
mod read;
mod reader;
pub(crate) mod rules;
mod volume;

use std::path::PathBuf;

pub use error::{DraftError, DraftProblem};

use crate::digest::{ModelDigest, Sha256Digest};
use crate::protocol::StudyProtocol;

/// A draft that breaks no rule; only the model file has not been looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    protocol: StudyProtocol,
    model_file: PathBuf,
    model_sha256: Option<ModelDigest>,
}

/// The model file is not the one that the draft pins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the model file has SHA-256 {found}, but the study pins {pinned}")]
pub struct ModelMismatch {
    /// The digest in the draft.
    pub pinned: ModelDigest,
    /// The file's digest.
    pub found: ModelDigest,
}

impl fedval_ambient::Problem for ModelMismatch {
    fn code(&self) -> &'static str {
        "MODEL_CHANGED"
    }

    fn remedy(&self) -> Option<String> {
        Some(
            "restore the pinned model file, or change `sha256` under [model] on purpose".to_owned(),
        )
    }
}

impl Draft {
    /// Reads a draft.
    ///
    /// # Errors
    ///
    /// [`DraftError`] with every problem found, each with its line and remedy.
    pub fn parse(text: &str) -> Result<Self, DraftError> {
        read::draft(text)
    }

    /// The model file, as written: relative to the draft's folder.
    #[must_use]
    pub fn model_file(&self) -> &std::path::Path {
        &self.model_file
    }

    /// Pins the model, which completes the protocol.
    ///
    /// # Errors
    ///
    /// [`ModelMismatch`] if the draft names another digest than the file has.
    pub fn pin_model(
        self,
        digest: Sha256Digest,
        bytes: u64,
    ) -> Result<StudyProtocol, ModelMismatch> {
        let found = ModelDigest(digest);
        if let Some(pinned) = self.model_sha256.filter(|pinned| *pinned != found) {
            return Err(ModelMismatch { pinned, found });
        }
        let mut protocol = self.protocol;
        protocol.model.digest = found;
        protocol.model.bytes = bytes;
        Ok(protocol)
    }
}
