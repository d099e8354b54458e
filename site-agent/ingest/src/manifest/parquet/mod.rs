//! Manifests as Parquet files, read in a box.
//!
//! A table's bytes are a stranger's: sizes that they declare are allocated before a value is read, the library that
//! reads them panics at some, and pages in Zstandard are unpacked by C. So a child that can reach nothing but the open file reads it, row group by row group, and
//! answers with the cells of one batch of rows after the other: as the text that the same table would have as CSV.

mod column;
mod exchange;
mod file;
mod received;
mod rows;
mod table;

use std::process::ExitCode;

pub use received::rows_of_replies;
pub(super) use rows::ParquetRows;

use exchange::Answering;

/// Argument by which the agent's executable becomes a reader of tables in a box.
pub const TABLE_ROLE: &str = "__table-box";

/// What every Parquet file begins with.
pub(super) const MAGIC: &[u8] = b"PAR1";

/// What the agent's executable does in [`TABLE_ROLE`].
pub fn table_box_main() -> ExitCode {
    let mut answering = Answering::default();
    fedval_sandbox::serve(move |request| answering.answer(request))
}
