//! What is wrong with a manifest, without quoting a single cell of it.

use std::fmt;

use fedval_ambient::{Exit, Problem};

use super::MAX_CASES;
use super::records::MAX_RECORD_BYTES;
use crate::problem_list::ProblemList;

/// One thing that is wrong with a manifest.
///
/// Lines are counted from 1, the header included. Cells are never quoted: what is shown on a
/// steward's screen ends in tickets and mails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestProblem {
    /// There is no such file.
    #[error("the manifest does not exist")]
    Missing,
    /// The file cannot be read.
    #[error("the manifest cannot be read")]
    Unreadable,
    /// The image folder cannot be resolved.
    #[error("the image folder does not exist or cannot be entered")]
    RootMissing,
    /// No line but, perhaps, a header.
    #[error("the manifest lists no case")]
    Empty,
    /// More lines than any cohort has.
    #[error("the manifest lists more than {MAX_CASES} cases")]
    TooManyCases,
    /// A column is not in the header.
    #[error("the manifest has no column `{column}`")]
    ColumnMissing {
        /// Its name at this site, from the agent's configuration or the protocol.
        column: String,
    },
    /// A column is in the header twice.
    #[error("the manifest has more than one column `{column}`")]
    ColumnRepeated {
        /// Its name at this site.
        column: String,
    },
    /// A line is longer than any honest one.
    #[error("line {line} is longer than {MAX_RECORD_BYTES} bytes")]
    LineTooLong {
        /// The line.
        line: u64,
    },
    /// A line is not UTF-8.
    #[error("line {line} is not UTF-8")]
    NotUtf8 {
        /// The line.
        line: u64,
    },
    /// A line has another number of fields than the header.
    #[error("line {line} has {found} fields where the header has {expected}")]
    FieldCount {
        /// The line.
        line: u64,
        /// Fields in the line.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// A cell that every case needs is empty.
    #[error("line {line} has no value in column `{column}`")]
    ValueMissing {
        /// The line.
        line: u64,
        /// The column's name at this site.
        column: String,
    },
    /// Two lines describe the same case.
    #[error("line {line} repeats the case of line {first}")]
    DuplicateCase {
        /// The line.
        line: u64,
        /// The line that has the case first.
        first: u64,
    },
    /// A label is not in the protocol's dictionary.
    #[error("the label in line {line} is none of the protocol's")]
    LabelUnknown {
        /// The line.
        line: u64,
    },
    /// A score is no number.
    #[error("the score in line {line} is not a number")]
    ScoreUnreadable {
        /// The line.
        line: u64,
    },
    /// A UID or an accession number that is none.
    #[error("line {line} names no image of a PACS: neither a UID nor an accession number")]
    InstanceInvalid {
        /// The line.
        line: u64,
    },
    /// Calls, and the study needs scores.
    #[error("the study needs a score of each case, not a called class")]
    ScoresNeeded,
    /// The study judges masks, and the source has none.
    #[error("the study judges masks, and the source names none")]
    MasksNeeded,
    /// The source has masks, and the study judges none.
    #[error("the source names masks, and the study judges none")]
    MasksUnused,
    /// A called class is not in the protocol's dictionary.
    #[error("the called class in line {line} is none of the protocol's")]
    CallUnknown {
        /// The line.
        line: u64,
    },
    /// Findings for a study of something else, or the other way round.
    #[error("the data source has findings and the study counts none, or the other way round")]
    OtherTask,
    /// A word that says neither that a scan was read nor that it was not.
    #[error("the status in line {line} is none that is known")]
    StatusUnknown {
        /// The line.
        line: u64,
    },
    /// A path that could leave the image folder.
    #[error("the image path in line {line} leads out of the image folder")]
    PathOutside {
        /// The line.
        line: u64,
    },
    /// An image is not there.
    #[error("the image of line {line} is not a readable file")]
    ImageMissing {
        /// The line.
        line: u64,
    },
    /// A column of a Parquet file whose values have no one text.
    #[error("column `{column}` of the Parquet file is neither text nor number nor yes and no")]
    ColumnType {
        /// Its name at this site.
        column: String,
    },
    /// A Parquet file that is compressed in a way that is not read.
    #[error("the Parquet file is compressed in a way that this program does not read")]
    Compression,
    /// A Parquet file that is none, or is cut or crafted.
    #[error("the Parquet file is damaged, or larger in memory than any honest one")]
    ParquetDamaged,
    /// A Parquet file that tried to break out of its box.
    #[error("the Parquet file made its reader try what it may not: the file is hostile")]
    ForbiddenCall,
    /// This machine cannot run the box that Parquet files are read in.
    #[error("Parquet files cannot be read on this machine")]
    NoBox {
        /// What stands in the way.
        code: &'static str,
        /// What to do about it.
        remedy: String,
    },
}

impl ManifestProblem {
    /// The line it was found in, counted from 1; `None` where it concerns the whole file.
    #[must_use]
    pub const fn line(&self) -> Option<u64> {
        match self {
            Self::LineTooLong { line }
            | Self::NotUtf8 { line }
            | Self::FieldCount { line, .. }
            | Self::ValueMissing { line, .. }
            | Self::DuplicateCase { line, .. }
            | Self::LabelUnknown { line }
            | Self::ScoreUnreadable { line }
            | Self::InstanceInvalid { line }
            | Self::CallUnknown { line }
            | Self::StatusUnknown { line }
            | Self::PathOutside { line }
            | Self::ImageMissing { line } => Some(*line),
            _ => None,
        }
    }
}

impl Problem for ManifestProblem {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "MANIFEST_MISSING",
            Self::Unreadable => "MANIFEST_UNREADABLE",
            Self::RootMissing => "MANIFEST_ROOT_MISSING",
            Self::Empty => "MANIFEST_EMPTY",
            Self::TooManyCases => "MANIFEST_TOO_MANY_CASES",
            Self::ColumnMissing { .. } => "MANIFEST_COLUMN_MISSING",
            Self::ColumnRepeated { .. } => "MANIFEST_COLUMN_REPEATED",
            Self::LineTooLong { .. } => "MANIFEST_LINE_TOO_LONG",
            Self::NotUtf8 { .. } => "MANIFEST_NOT_UTF8",
            Self::FieldCount { .. } => "MANIFEST_FIELD_COUNT",
            Self::ValueMissing { .. } => "MANIFEST_VALUE_MISSING",
            Self::DuplicateCase { .. } => "MANIFEST_DUPLICATE_CASE",
            Self::LabelUnknown { .. } => "MANIFEST_LABEL_UNKNOWN",
            Self::ScoreUnreadable { .. } => "MANIFEST_SCORE_UNREADABLE",
            Self::InstanceInvalid { .. } => "MANIFEST_INSTANCE_INVALID",
            Self::ScoresNeeded => "MANIFEST_SCORES_NEEDED",
            Self::MasksNeeded => "MANIFEST_MASKS_NEEDED",
            Self::MasksUnused => "MANIFEST_MASKS_UNUSED",
            Self::CallUnknown { .. } => "MANIFEST_CALL_UNKNOWN",
            Self::OtherTask => "MANIFEST_OTHER_TASK",
            Self::StatusUnknown { .. } => "MANIFEST_STATUS_UNKNOWN",
            Self::PathOutside { .. } => "MANIFEST_PATH_OUTSIDE",
            Self::ImageMissing { .. } => "MANIFEST_IMAGE_MISSING",
            Self::ColumnType { .. } => "MANIFEST_COLUMN_TYPE",
            Self::Compression => "MANIFEST_COMPRESSION",
            Self::ParquetDamaged => "MANIFEST_PARQUET_DAMAGED",
            Self::ForbiddenCall => "SANDBOX_FORBIDDEN_CALL",
            Self::NoBox { code, .. } => code,
        }
    }

    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Missing => "check the path of the manifest in the agent's configuration",
            Self::Unreadable => "give the agent's user the right to read the manifest",
            Self::RootMissing => "check the image folder in the agent's configuration",
            Self::Empty => "export the cohort again: a header and one line for each case",
            Self::TooManyCases => "split the cohort into several studies",
            Self::ColumnMissing { .. } => {
                "add the column, or map its name in the agent's configuration"
            }
            Self::ColumnRepeated { .. } => "rename or remove one of the columns",
            Self::LineTooLong { .. } => "look for a quotation mark that is never closed",
            Self::NotUtf8 { .. } => "save the manifest as UTF-8",
            Self::FieldCount { .. } => "quote cells that hold a comma or a line break",
            Self::ValueMissing { .. } => "fill in the cell, or remove the line",
            Self::DuplicateCase { .. } => "give every image its own case identifier",
            Self::LabelUnknown { .. } | Self::CallUnknown { .. } => {
                "use the label values of the study's protocol, or leave the cell empty"
            }
            Self::ScoreUnreadable { .. } => {
                "write scores with a point, such as 0.73, or leave the cell empty"
            }
            Self::InstanceInvalid { .. } => {
                "write UIDs in full, as digits with dots; an accession number has no wildcard and at \
                 most 16 characters"
            }
            Self::ScoresNeeded => {
                "bring scores: map `score` in the agent's configuration in the place of `called`"
            }
            Self::OtherTask => {
                "add or remove [data_sources.findings] in the agent's configuration, or name the studies that \
                 each source serves"
            }
            Self::StatusUnknown { .. } => {
                "write `read`, `no_reference` or `no_result`, or leave the cell empty: the scan was read"
            }
            Self::MasksNeeded => {
                "map `reference_mask` in the agent's configuration, and `predicted_mask` beside it where \
                 the study's model does not run here"
            }
            Self::MasksUnused => {
                "give the study a data source with images or scores, without `predicted_mask` and \
                 `reference_mask`"
            }
            Self::PathOutside { .. } => {
                "write the path relative to the image folder, and keep the file inside it"
            }
            Self::ImageMissing { .. } => "restore the file, or remove the line",
            Self::ColumnType { .. } => {
                "write it as text or numbers: dates, decimals and lists are not read"
            }
            Self::Compression => "write it with Snappy, Zstandard or gzip, or without compression",
            Self::ParquetDamaged => {
                "write the file again, with pages of a few MiB, or export the cohort as CSV"
            }
            Self::ForbiddenCall => {
                "do not use this file: ask where it comes from, and keep it for them"
            }
            Self::NoBox { remedy, .. } => remedy,
        };
        Some(text.to_owned())
    }
}

/// Everything that is wrong with a manifest, found in one pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError(ProblemList<ManifestProblem>);

impl ManifestError {
    /// The problems in the order of the file, at most 50 of them.
    #[must_use]
    pub fn problems(&self) -> &[ManifestProblem] {
        self.0.problems()
    }

    /// Whether nothing is wrong with the manifest: this machine cannot read it.
    #[must_use]
    pub fn is_of_this_machine(&self) -> bool {
        self.0.problems().iter().any(|problem| matches!(problem, ManifestProblem::NoBox { .. }))
    }

    /// How many more there are.
    #[must_use]
    pub const fn more(&self) -> u64 {
        self.0.more()
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, "the manifest has")
    }
}

impl std::error::Error for ManifestError {}

impl Problem for ManifestError {
    fn code(&self) -> &'static str {
        "MANIFEST_INVALID"
    }

    /// Each problem in a line of its own, with what to do about it.
    fn remedy(&self) -> Option<String> {
        Some(self.0.remedy())
    }

    fn exit(&self) -> Exit {
        if self.is_of_this_machine() { Exit::Machine } else { Exit::Usage }
    }
}

impl From<ManifestProblem> for ManifestError {
    fn from(problem: ManifestProblem) -> Self {
        Self(problem.into())
    }
}

impl From<ProblemList<ManifestProblem>> for ManifestError {
    fn from(problems: ProblemList<ManifestProblem>) -> Self {
        Self(problems)
    }
}
