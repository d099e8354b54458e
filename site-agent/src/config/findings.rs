//! `[data_sources.findings]`.

use std::path::PathBuf;

use fedval_ingest::FindingsSource;
use serde::Deserialize;

/// Findings of the reference standard and of the model, in files of their own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingsConfig {
    reference: PathBuf,
    predicted: PathBuf,
    /// Default: none, and every scan of the manifest was read.
    status: Option<String>,
}

impl FindingsConfig {
    /// The files, and the column of the manifest that says whether a scan was read.
    pub(super) fn source(&self) -> FindingsSource {
        FindingsSource {
            reference: self.reference.clone(),
            predicted: self.predicted.clone(),
            status: self.status.clone(),
        }
    }
}
