//! Findings with a place: those of the reference standard and those of the model, each in a file of its own, CSV or Parquet.
//!
//! Points, in millimetres, stand as `case_id, x, y[, z], radius_mm[, excluded]` and `case_id, x, y[, z], score`; boxes,
//! in one unit of the image, as `case_id, x0, y0, x1, y1[, excluded]` and `case_id, x0, y0, x1, y1, score`. The manifest
//! says which scans were read: one without a line in a file has no finding there.
//!
//! In the place of a file, a folder holds a DICOM SR for each case, with the same findings.

mod error;
mod read;
mod reports;

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use error::{FindingsError, FindingsProblem, Side};
pub use read::{read_findings, read_reference_findings};

/// Most lines that a file of findings may have.
pub const MAX_FINDINGS: usize = 5_000_000;

/// Where a site's findings lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingsSource {
    /// Findings of the reference standard: a CSV or Parquet file, or a folder of reports.
    pub reference: PathBuf,
    /// Findings of the model, likewise.
    pub predicted: PathBuf,
    /// What the number is called that holds a score in reports.
    pub score: ConceptCode,
    /// The manifest's column that says whether a scan was read; without it, all were.
    pub status: Option<String>,
}

/// What something is called in a report: a code, and the scheme that it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConceptCode {
    /// Such as `111047`.
    pub value: String,
    /// Such as `DCM`.
    pub scheme: String,
}

impl Default for ConceptCode {
    /// "Probability of cancer" (PS3.16, annex D).
    fn default() -> Self {
        Self { value: "111047".to_owned(), scheme: "DCM".to_owned() }
    }
}

/// Where the findings of a site's reference standard lie, in a study whose model finds its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceFindings {
    /// The file, or a folder of reports.
    pub reference: PathBuf,
    /// The manifest's column that says whether an image was read; without it, all were.
    pub status: Option<String>,
}

/// Where a finding is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// A point, in millimetres; the last number is 0 where files have two.
    Point([f64; 3]),
    /// A box: left, upper, right and lower edge.
    Box([f64; 4]),
}

/// A finding of the reference standard.
#[derive(Clone, Copy, PartialEq)]
pub struct ReferenceFinding {
    /// Where.
    pub place: Place,
    /// Around a point, in millimetres; 0 of a box.
    pub radius_mm: f64,
    /// Whether readers left it open.
    pub excluded: bool,
}

/// A finding of the model.
#[derive(Clone, Copy, PartialEq)]
pub struct PredictedFinding {
    /// Where.
    pub place: Place,
    /// 0 to 1.
    pub score: f64,
}

/// The findings of one case, in the order of the files.
#[derive(Clone, PartialEq, Default)]
pub struct CaseFindings {
    /// Of the reference standard.
    pub reference: Vec<ReferenceFinding>,
    /// Of the model.
    pub predicted: Vec<PredictedFinding>,
}

impl fmt::Debug for CaseFindings {
    /// Names the type only: what was found in a patient does not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaseFindings(..)")
    }
}
