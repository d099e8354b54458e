//! The engines of a box: each runs one model, in one thread, one case a run.

mod embedded;
mod onnx_runtime;

pub(crate) use embedded::Embedded;
pub(crate) use onnx_runtime::{QUIET, Runtime};

/// Values of an output, one of which is the score: far more than any classifier tells apart.
pub(crate) const MOST_VALUES: usize = 1 << 16;

/// A model that is ready to run.
pub(crate) trait Engine {
    /// The output's values at the protocol's places; `None` where the model gives none.
    fn scores(&mut self, values: &[f32]) -> Option<Vec<f64>>;
}
