//! Findings of one case from a report: what crosses to the parent is where they are, and how sure the model was.

pub(super) mod reply;

use fedval_study::protocol::Matching;

use super::dicom;
use super::fault::ImageFault;
use crate::findings::{CaseFindings, ConceptCode, Side};

/// Most reference findings of a report.
pub const MAX_REPORT_REFERENCES: usize = 256;

/// A report to read.
#[derive(Clone, Copy)]
pub struct ReportRequest<'a> {
    /// Whose findings it holds.
    pub side: Side,
    /// Whether the study counts points, in millimetres, or boxes.
    pub matching: Matching,
    /// What the number is called that holds a score.
    pub score: &'a ConceptCode,
    /// The file.
    pub bytes: &'a [u8],
}

/// Reads a report in this process: only for bytes that are trusted, and inside a box. The other side's list is empty;
/// of the model's findings, the hundred with the highest scores are kept.
///
/// # Errors
///
/// [`ImageFault`], which says nothing about the file's content.
pub fn read_report(request: &ReportRequest<'_>) -> Result<CaseFindings, ImageFault> {
    if request.bytes.get(128..132) == Some(b"DICM") {
        dicom::read_report(request)
    } else {
        Err(ImageFault::ReportClass)
    }
}
