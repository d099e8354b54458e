//! Untrusted files to a cohort and to model inputs.
//!
//! [`manifest`] reads what a site says about its cohort. [`decode`] turns an image file into the
//! tensor that the protocol describes, in a child process that can reach nothing.

pub mod decode;
pub mod manifest;

/// The program that is started in the box.
pub use fedval_sandbox::BoxProgram;

pub use decode::{
    DECODE_ROLE, DecodeFailure, DecodeLimits, DecodeRequest, DecodedImage, Decoder, ReceivedImage,
    decode_box_main, decode_image, picture,
};
pub use manifest::{
    Case, Cohort, ColumnMapping, IndexTest, IndexTestColumn, ManifestError, ManifestProblem,
    ManifestSource, read_manifest,
};
