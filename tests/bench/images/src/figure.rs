//! What one measurement found.

use serde::{Deserialize, Serialize};

/// Images of one evaluation and the time they took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// Images from file to checkpoint.
    pub(crate) images: usize,
    /// From the call to the summary: manifest, boxes, model, images, counting.
    pub(crate) seconds: f64,
    /// Images a second of all that.
    pub(crate) images_per_second: f64,
    /// Images a second once the boxes had started and the model was loaded, as the loop counts.
    pub(crate) warm_images_per_second: f64,
    /// The largest resident memory of the agent's own process until then, without its boxes, in MiB.
    pub(crate) peak_mib: u64,
}

/// What a prediction table took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct TableFigure {
    #[serde(flatten)]
    pub(crate) evaluated: Figure,
    /// The largest resident memory from the reading of the manifest to the summary, in KiB.
    pub(crate) evaluated_kib: u64,
    /// The same until the result waited for its release: with the rules, and what the ledger is to remember.
    pub(crate) vetted_kib: u64,
}
