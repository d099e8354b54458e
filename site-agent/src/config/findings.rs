//! `[data_sources.findings]`.

use std::path::PathBuf;

use fedval_ingest::{ConceptCode, FindingsSource};
use serde::Deserialize;

/// Findings of the reference standard and of the model, in files of their own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingsConfig {
    reference: PathBuf,
    predicted: PathBuf,
    /// Code and scheme of the number that holds a score in reports. Default: "Probability of cancer".
    score_concept: Option<[String; 2]>,
    /// Default: none, and every scan of the manifest was read.
    status: Option<String>,
}

impl FindingsConfig {
    /// The files, and the column of the manifest that says whether a scan was read.
    pub(super) fn source(&self) -> FindingsSource {
        FindingsSource {
            reference: self.reference.clone(),
            predicted: self.predicted.clone(),
            score: self.score(),
            status: self.status.clone(),
        }
    }

    fn score(&self) -> ConceptCode {
        let concept = self.score_concept.clone();
        concept.map(|[value, scheme]| ConceptCode { value, scheme }).unwrap_or_default()
    }
}
