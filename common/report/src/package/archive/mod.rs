//! The package as one file: a ZIP archive without compression and without times.
//!
//! Stored members keep their bytes readable for as long as anybody reads ZIP, and an archive that may hold
//! nothing else cannot inflate: what is read is never larger than the file.
//!
//! # References
//!
//! - PKWARE (2022). APPNOTE.TXT, .ZIP File Format Specification 6.3.10, sections 4.3 and 4.4.

mod read;
mod write;

pub use read::unpack;
pub(crate) use read::{Member, members};
#[cfg(test)]
use write::packed;
pub use write::{Archive, Piece};

/// Members beyond this are no package.
const MAX_MEMBERS: usize = 20_000;
/// Nor are names of members longer than this.
const MAX_NAME: usize = 200;

/// Bytes of the record at the end, of a member's description, and of the header before its content.
const END: usize = 22;
const DESCRIPTION: usize = 46;
const HEADER: usize = 30;

/// An archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// More or longer files than a ZIP archive holds.
    #[error("it does not fit a ZIP archive")]
    TooLarge,
    /// Reading failed.
    #[error("it cannot be read")]
    Input(#[from] std::io::Error),
    /// It is no ZIP archive, or a damaged one.
    #[error("it is no readable ZIP archive")]
    Damaged,
    /// A member that no package has.
    #[error("{what}")]
    Foreign {
        /// What is wrong with it.
        what: &'static str,
    },
}
