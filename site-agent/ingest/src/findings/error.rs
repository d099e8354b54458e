//! What is wrong with files of findings, without quoting a single cell of them.

use std::fmt;

use fedval_ambient::{Exit, Problem};
use serde::{Deserialize, Serialize};

use super::MAX_FINDINGS;
use crate::manifest::ManifestProblem;
use crate::problem_list::ProblemList;

/// The column that says of which case a finding is.
pub(super) const CASE: &str = "case_id";

/// One of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Findings of the reference standard.
    Reference,
    /// Findings of the model.
    Predicted,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reference => "the file of reference findings",
            Self::Predicted => "the file of predicted findings",
        })
    }
}

/// One thing that is wrong with a file of findings.
///
/// Lines are counted from 1, the header included. Cells are never quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindingsProblem {
    /// There is no such file.
    #[error("{side} does not exist")]
    Missing {
        /// Which.
        side: Side,
    },
    /// The file cannot be read.
    #[error("{side} cannot be read")]
    Unreadable {
        /// Which.
        side: Side,
    },
    /// More lines than any cohort has.
    #[error("{side} has more than {MAX_FINDINGS} lines")]
    TooMany {
        /// Which.
        side: Side,
    },
    /// A column is not in the header, or twice.
    #[error("{side} has no column `{column}`, or more than one")]
    Column {
        /// Which.
        side: Side,
        /// Its name.
        column: &'static str,
    },
    /// A column of a Parquet file whose values have no one text.
    #[error("column `{column}` of {side} is neither text nor number nor yes and no")]
    ColumnType {
        /// Which.
        side: Side,
        /// Its name.
        column: String,
    },
    /// A Parquet file that is compressed in a way that is not read, or is none, or crafted.
    #[error("{side} cannot be used: {problem}")]
    Parquet {
        /// Which.
        side: Side,
        /// What is wrong.
        problem: ManifestProblem,
    },
    /// One file has places in space, the other in a plane.
    #[error("one file of findings has a column `z` and the other has none")]
    OneIsFlat,
    /// A line is too long, not UTF-8, or has another number of fields than the header.
    #[error("line {line} of {side} is no line like its header")]
    Line {
        /// Which.
        side: Side,
        /// The line.
        line: u64,
    },
    /// A line names a case that the manifest does not list.
    #[error("line {line} of {side} is of a case that the manifest does not list")]
    CaseUnknown {
        /// Which.
        side: Side,
        /// The line.
        line: u64,
    },
    /// A line is of a scan that was not read.
    #[error("line {line} of {side} is of a scan that the manifest calls not read")]
    NotRead {
        /// Which.
        side: Side,
        /// The line.
        line: u64,
    },
    /// A cell is no such number: a radius below 0, a box of which one edge is beyond the other, a score outside 0 to 1,
    /// a size beyond 10⁹.
    #[error("column `{column}` in line {line} of {side} holds no such number")]
    Number {
        /// Which.
        side: Side,
        /// The line.
        line: u64,
        /// The column.
        column: &'static str,
    },
    /// A scan that was read has no report in the folder.
    #[error("case {case} of the manifest has no report of its own beside {side}")]
    ReportMissing {
        /// Which side.
        side: Side,
        /// The case's place in the manifest, counted from 1.
        case: u64,
    },
    /// A report cannot be used.
    #[error(
        "the report of case {case} of the manifest, in the place of {side}, cannot be used: {why}"
    )]
    Report {
        /// Which side.
        side: Side,
        /// The case's place in the manifest, counted from 1.
        case: u64,
        /// What is wrong, without a word of it.
        why: String,
    },
    /// A report tried to break out of its box.
    #[error(
        "the report of case {case} of the manifest, in the place of {side}, made its reader try what it may \
         not: the file is hostile"
    )]
    Forbidden {
        /// Which side.
        side: Side,
        /// The case's place in the manifest, counted from 1.
        case: u64,
    },
    /// Reports and Parquet files are read in a box, and none can be started.
    #[error("reports and Parquet files cannot be read on this machine")]
    NoBox {
        /// What stands in the way.
        code: &'static str,
        /// What to do about it.
        remedy: String,
    },
}

impl FindingsProblem {
    /// What a file that cannot be read as a table, or a row that cannot be told from the next, says of its side.
    pub(super) fn of_file(problem: ManifestProblem, side: Side) -> Self {
        match problem {
            ManifestProblem::LineTooLong { line } | ManifestProblem::NotUtf8 { line } => {
                Self::Line { side, line }
            }
            ManifestProblem::Empty => Self::Column { side, column: CASE },
            ManifestProblem::ColumnType { column } => Self::ColumnType { side, column },
            ManifestProblem::NoBox { code, remedy } => Self::NoBox { code, remedy },
            problem @ (ManifestProblem::Compression
            | ManifestProblem::ParquetDamaged
            | ManifestProblem::ForbiddenCall) => Self::Parquet { side, problem },
            _ => Self::Unreadable { side },
        }
    }

    /// The line it was found in, counted from 1; `None` where it concerns a whole file.
    #[must_use]
    pub const fn line(&self) -> Option<u64> {
        match self {
            Self::Line { line, .. }
            | Self::CaseUnknown { line, .. }
            | Self::NotRead { line, .. }
            | Self::Number { line, .. } => Some(*line),
            _ => None,
        }
    }
}

impl Problem for FindingsProblem {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "FINDINGS_MISSING",
            Self::Unreadable { .. } => "FINDINGS_UNREADABLE",
            Self::TooMany { .. } => "FINDINGS_TOO_MANY",
            Self::Column { .. } | Self::ColumnType { .. } | Self::OneIsFlat => "FINDINGS_COLUMN",
            Self::Parquet { .. } => "FINDINGS_PARQUET",
            Self::Line { .. } => "FINDINGS_LINE",
            Self::CaseUnknown { .. } => "FINDINGS_CASE_UNKNOWN",
            Self::NotRead { .. } => "FINDINGS_NOT_READ",
            Self::Number { .. } => "FINDINGS_NUMBER",
            Self::ReportMissing { .. } => "FINDINGS_REPORT_MISSING",
            Self::Report { .. } => "FINDINGS_REPORT",
            Self::Forbidden { .. } => "SANDBOX_FORBIDDEN_CALL",
            Self::NoBox { code, .. } => code,
        }
    }

    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Missing { .. } => "check its path in the agent's configuration",
            Self::Unreadable { .. } => "give the agent's user the right to read it",
            Self::TooMany { .. } => "split the cohort into several studies",
            Self::Column { .. } => {
                "name the columns as `fedval-agent --explain FINDINGS_COLUMN` lists them"
            }
            Self::ColumnType { .. } => {
                "write it as text or numbers: dates, decimals and lists are not read"
            }
            Self::Parquet { problem: ManifestProblem::ForbiddenCall, .. }
            | Self::Forbidden { .. } => {
                "do not use this file: ask where it comes from, and keep it for them"
            }
            Self::Parquet { .. } => {
                "write it again with Snappy, Zstandard or gzip and pages of a few MiB, or bring CSV"
            }
            Self::OneIsFlat => "write `z` in both files or in none",
            Self::Line { .. } => "quote cells that hold a comma, and save the file as UTF-8",
            Self::CaseUnknown { .. } => "add the scan to the manifest, or remove its findings",
            Self::NotRead { .. } => "correct the manifest's status, or remove the findings",
            Self::Number { .. } => "write numbers with a point; a score lies from 0 to 1",
            Self::ReportMissing { .. } => {
                "name each report after its case (CASE.dcm), or say in `status` that it was not read"
            }
            Self::Report { .. } => {
                "export the report again as `FINDINGS_REPORT` says, or bring CSV"
            }
            Self::NoBox { remedy, .. } => remedy,
        };
        Some(text.to_owned())
    }
}

/// Everything that is wrong with a site's files of findings, found in one pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingsError(ProblemList<FindingsProblem>);

impl FindingsError {
    /// The problems in the order of the files, at most 50 of them.
    #[must_use]
    pub fn problems(&self) -> &[FindingsProblem] {
        self.0.problems()
    }

    /// Whether nothing is wrong with the files: this machine cannot read them.
    #[must_use]
    pub fn is_of_this_machine(&self) -> bool {
        self.0.problems().iter().any(|problem| matches!(problem, FindingsProblem::NoBox { .. }))
    }

    /// How many more there are.
    #[must_use]
    pub const fn more(&self) -> u64 {
        self.0.more()
    }
}

impl fmt::Display for FindingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, "the files of findings have")
    }
}

impl std::error::Error for FindingsError {}

impl Problem for FindingsError {
    fn code(&self) -> &'static str {
        "FINDINGS_INVALID"
    }

    /// Each problem in a line of its own, with what to do about it.
    fn remedy(&self) -> Option<String> {
        Some(self.0.remedy())
    }

    fn exit(&self) -> Exit {
        if self.is_of_this_machine() { Exit::Machine } else { Exit::Usage }
    }
}

impl From<ProblemList<FindingsProblem>> for FindingsError {
    fn from(problems: ProblemList<FindingsProblem>) -> Self {
        Self(problems)
    }
}
