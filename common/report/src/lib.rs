//! Signed site results to report: a pure function, its rendering and its verification.
//!
//! [`assemble`] turns a locked protocol, a round record and site results into a [`Report`];
//! [`render_html`] shows it to people; [`Package`] binds both to the signed documents they come
//! from; [`verify`] makes everything again from those documents and compares.

mod assemble;
pub mod crosswalk;
mod csv;
mod forms;
mod html;
mod package;
mod pdf;
mod present;
mod report;
mod tables;
mod verify;

pub use assemble::{AssembleError, assemble};
pub use forms::{FormError, render};
pub use html::{RenderError, render_html};
pub use package::{
    ARCHIVE, Archive, ArchiveError, BuildError, Cosignature, Evidence, Files, LogEvidence, Package,
    Piece, SignedByPerson, Unlogged, unpack,
};
pub use pdf::{PdfError, render_pdf};
pub use report::*;
pub use verify::{
    LogSummary, PartCheck, Verification, verify, verify_against, verify_files, verify_files_telling,
};
