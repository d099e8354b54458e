//! Untrusted files, or what a PACS sends, to a cohort and to model inputs.
//!
//! [`manifest`] reads what a site says about its cohort. [`pacs`] fetches what it names there. [`decode`] turns an image file into the
//! tensor that the protocol describes, in a child process that can reach nothing.

pub mod decode;
pub mod findings;
pub mod manifest;
pub mod pacs;
mod problem_list;

/// The program that is started in the box.
pub use fedval_sandbox::BoxProgram;

pub use decode::{
    DECODE_ROLE, DecodeFailure, DecodeLimits, DecodeRequest, DecodedImage, Decoder,
    FrameOfReference, FramePlace, ImageFrame, LARGEST_SERIES, MaskComparison, MaskMeasures,
    MaskRequest, OutputRequest, ReceivedImage, ReportRequest, SeriesDecoding, SliceRun,
    compare_masks, compare_output, decode_box_main, decode_image, decode_series, picture,
    probe_files, read_report,
};
pub use findings::{
    CaseFindings, ConceptCode, FindingsError, FindingsProblem, FindingsSource, PredictedFinding,
    ReferenceFinding, ReferenceFindings, read_findings, read_reference_findings,
};
pub use manifest::{
    Attributes, Case, Cohort, ColumnMapping, IndexTest, IndexTestColumn, ManifestError,
    ManifestProblem, ManifestSource, ScanStatus, TABLE_ROLE, read_manifest, table_box_main,
};
pub use pacs::{
    CaseFault, DimseRetrieval, DimseSettings, FetchError, FetchedVolume, InstanceKey, InstanceName,
    Pacs, PacsError, PacsLimits, PacsLogin, PacsSettings, Spool,
};
