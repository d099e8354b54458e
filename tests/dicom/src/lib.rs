//! What is read of the test files that pydicom ships, held against what pydicom reads.
//!
//! `expected.py` writes pydicom's side as digests; [`rows`] works out ours; [`table`] is the page of
//! both that the README shows.

mod compare;
mod expected;
mod render;

use std::path::{Path, PathBuf};

pub use compare::{Ours, Row, rows};
pub use expected::{Expected, Reading};
pub use render::{table, with_table};

/// Where `tests/run.sh` unpacks pydicom's files.
#[must_use]
pub fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tests/pydicom/data/test_files")
}

/// The page with the table.
#[must_use]
pub fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}
