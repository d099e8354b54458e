//! A site's manifest: one line a case, `case_id, patient_id, image, label`, then attributes; as CSV or as Parquet.
//!
//! A prediction table is a manifest with a score in the place of the image; one for a PACS has a UID or
//! an accession number there; one of masks names two files, and has no label. Where a model's mask or boxes are judged,
//! an image has the reference standard's mask beside it, or its findings in a file of their own.

mod attributes;
mod blocks;
mod cohort;
mod columns;
mod error;
pub(crate) mod image_path;
mod packed;
mod parquet;
mod read;
mod records;
mod repeated;
mod table_file;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use fedval_study::protocol::Reference;

pub use self::parquet::{TABLE_ROLE, rows_of_replies, table_box_main};
use crate::findings::{FindingsSource, ReferenceFindings};
use crate::pacs::{InstanceKey, InstanceName};
pub use attributes::Attributes;
pub use cohort::Cohort;
pub use error::{ManifestError, ManifestProblem};
pub use read::read_manifest;
pub(crate) use records::Rows;
pub(crate) use table_file::with_rows;

/// Most cases that a manifest may list.
pub const MAX_CASES: usize = 2_000_000;

/// How the site's columns are called.
///
/// Names are mapped here, in the agent's configuration, never in the hospital's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMapping {
    /// Identifies the case.
    pub case_id: String,
    /// Identifies the patient.
    pub patient_id: String,
    /// What the index test is found by.
    pub index_test: IndexTestColumn,
    /// Result of the reference standard; of several conditions, each has a column of its own, as the protocol says.
    pub label: String,
    /// The site's column for each of the protocol's, of attributes and of conditions; one that is absent has the
    /// protocol's name.
    pub attributes: BTreeMap<String, String>,
}

impl Default for ColumnMapping {
    fn default() -> Self {
        Self {
            case_id: "case_id".to_owned(),
            patient_id: "patient_id".to_owned(),
            index_test: IndexTestColumn::Image("image".to_owned()),
            label: "label".to_owned(),
            attributes: BTreeMap::new(),
        }
    }
}

/// The column that the index test is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexTestColumn {
    /// Path of the image file, relative to the root.
    Image(String),
    /// The score, where images were read elsewhere: by a device, or in an earlier run. Of several classes or
    /// conditions, each has a column: `NAME_0`, `NAME_1` and so on.
    Score(String),
    /// The class that a device or an earlier run called: one of the protocol's label values.
    Called(String),
    /// What names the image in a PACS.
    Instance(InstanceKey, String),
    /// None: findings stand in files of their own.
    Findings(FindingsSource),
    /// Paths of both masks of a case, relative to the root. There is no label beside them.
    Masks {
        /// The reference standard's.
        reference: String,
        /// The index test's, made elsewhere.
        predicted: String,
    },
    /// An image, and the path of the reference standard's mask of it, relative to the root. There is no label beside
    /// them.
    Outlined {
        /// What the image is found by: a path, or a name in a PACS.
        image: Box<Self>,
        /// The reference standard's mask.
        reference: String,
    },
    /// An image in which the reference standard has findings, in a file of their own. There is no label beside it.
    Searched {
        /// What the image is found by: a path, or a name in a PACS.
        image: Box<Self>,
        /// The reference standard's findings.
        findings: ReferenceFindings,
    },
}

impl IndexTestColumn {
    /// The column's name at this site.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Image(name)
            | Self::Score(name)
            | Self::Called(name)
            | Self::Instance(_, name)
            | Self::Masks { predicted: name, .. } => name,
            Self::Outlined { image, .. } | Self::Searched { image, .. } => image.name(),
            Self::Findings(source) => source.status.as_deref().unwrap_or_default(),
        }
    }

    /// Whether results of the index test were brought, and no images.
    #[must_use]
    pub const fn is_table(&self) -> bool {
        matches!(self, Self::Score(_) | Self::Called(_) | Self::Findings(_) | Self::Masks { .. })
    }
}

/// Where a site's cohort lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestSource {
    /// The manifest, a CSV file in UTF-8 or a Parquet file: told by its first bytes, never by its name.
    pub manifest: PathBuf,
    /// The folder that every image must lie in, after all symbolic links are followed.
    pub root: PathBuf,
    /// How the columns are called.
    pub columns: ColumnMapping,
}

/// What the index test of a case is found by.
#[derive(Clone, PartialEq)]
pub enum IndexTest {
    /// The image file: absolute, without symbolic links, inside the root when it was checked.
    Image(PathBuf),
    /// The score, on the protocol's scale; `None` where the cell is empty.
    Score(Option<f64>),
    /// The image, by its name in a PACS.
    Instance(InstanceName),
    /// One score for each class or condition of the protocol; `None` where a cell is empty.
    Scores(Option<Vec<f64>>),
    /// Findings in files of their own, if the scan was read.
    Findings(ScanStatus),
    /// The files of both masks, as an image's; `None` where the cell is empty.
    Masks {
        /// The reference standard's.
        reference: Option<PathBuf>,
        /// The index test's.
        predicted: Option<PathBuf>,
    },
    /// An image with the reference standard's mask of it; `None` where the cell is empty.
    Outlined {
        /// What the image is found by.
        image: Box<Self>,
        /// The reference standard's.
        reference: Option<PathBuf>,
    },
    /// An image with findings of the reference standard in a file of their own, if it was read for them.
    Searched {
        /// What the image is found by.
        image: Box<Self>,
        /// Whether the reference standard read it.
        status: ScanStatus,
    },
}

impl IndexTest {
    /// What the image is found by, where another result stands beside it; otherwise itself.
    #[must_use]
    pub fn image(&self) -> &Self {
        match self {
            Self::Outlined { image, .. } | Self::Searched { image, .. } => image,
            other => other,
        }
    }

    /// Whether a scan was read for findings; `None` where nobody looked for any.
    #[must_use]
    pub const fn status(&self) -> Option<ScanStatus> {
        match self {
            Self::Findings(status) | Self::Searched { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// Whether a scan was read by both sides. A scan that was read and has no finding stands in no file of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanStatus {
    /// By the reference standard and by the model.
    Read,
    /// Not by the reference standard.
    NoReference,
    /// Not by the model.
    NoResult,
}

/// One image with what the manifest says of it.
#[derive(Clone, PartialEq)]
pub struct Case {
    /// Identifies the case on this site.
    pub case_id: String,
    /// The patient, numbered from 0 in order of first appearance.
    pub patient: u32,
    /// What the index test is found by.
    pub index_test: IndexTest,
    /// What the reference standard says of it; `None` where it is missing.
    pub reference: Option<Reference>,
    /// Values by the protocol's column names; an empty cell is absent.
    pub attributes: Attributes,
}

impl fmt::Debug for Case {
    /// Names the type only: identifiers and paths of patients do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Case(..)")
    }
}
