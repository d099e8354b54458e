//! `[data_sources.columns]`.

use std::collections::BTreeMap;

use fedval_ingest::ColumnMapping;
use serde::Deserialize;

/// How the manifest's columns are called.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Columns {
    pub(super) case_id: String,
    pub(super) patient_id: String,
    pub(super) image: String,
    /// Default: none, and images are read.
    pub(super) score: Option<String>,
    /// Default: none. Grades that a device called, for a study of grades.
    pub(super) called: Option<String>,
    /// Default: none. Masks of the reference standard, for a study of masks; alone where its model gives the others.
    pub(super) reference_mask: Option<String>,
    /// Default: none. Masks that were made elsewhere, for a study of masks.
    pub(super) predicted_mask: Option<String>,
    pub(super) label: String,
    pub(super) attributes: BTreeMap<String, String>,
}

impl Default for Columns {
    fn default() -> Self {
        let ColumnMapping { case_id, patient_id, index_test, label, attributes } =
            ColumnMapping::default();
        let image = index_test.name().to_owned();
        Self {
            case_id,
            patient_id,
            image,
            score: None,
            called: None,
            reference_mask: None,
            predicted_mask: None,
            label,
            attributes,
        }
    }
}
