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
