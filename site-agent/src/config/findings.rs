//! `[data_sources.findings]`.

use std::path::PathBuf;

use fedval_ingest::{ConceptCode, FindingsSource, IndexTestColumn, ReferenceFindings};
use serde::Deserialize;

/// Findings of the reference standard and of the model, in files of their own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingsConfig {
    reference: PathBuf,
    /// Default: none, and the study's model finds its own in the images.
    predicted: Option<PathBuf>,
    /// Code and scheme of the number that holds a score in reports. Default: "Probability of cancer".
    score_concept: Option<[String; 2]>,
    /// Default: none, and every scan of the manifest was read.
    status: Option<String>,
}

impl FindingsConfig {
    /// Whether findings of the index test were brought.
    pub(super) const fn has_predicted(&self) -> bool {
        self.predicted.is_some()
    }

    /// Whether it says how a score is found, and brings nothing that has one.
    pub(super) const fn has_idle_score(&self) -> bool {
        self.score_concept.is_some() && self.predicted.is_none()
    }

    /// The files, and the column of the manifest that says whether a scan was read; beside those of the reference
    /// standard alone stands what the `image` of each case is found by.
    pub(super) fn index_test(&self, image: impl FnOnce() -> IndexTestColumn) -> IndexTestColumn {
        let (reference, status) = (self.reference.clone(), self.status.clone());
        match self.predicted.clone() {
            Some(predicted) => {
                let score = self.score();
                IndexTestColumn::Findings(FindingsSource { reference, predicted, score, status })
            }
            None => IndexTestColumn::Searched {
                image: Box::new(image()),
                findings: ReferenceFindings { reference, status },
            },
        }
    }

    fn score(&self) -> ConceptCode {
        let concept = self.score_concept.clone();
        concept.map(|[value, scheme]| ConceptCode { value, scheme }).unwrap_or_default()
    }
}
