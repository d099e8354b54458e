//! The engines of a box: each runs one model, in one thread, one case a run.

mod embedded;
mod onnx_runtime;

pub(crate) use embedded::Embedded;
pub(crate) use onnx_runtime::{QUIET, Runtime};

use crate::answer::ModelAnswer;

/// A model that is ready to run.
pub(crate) trait Engine {
    /// What the protocol wants of the output; `None` where the model does not give it.
    fn answer(&mut self, values: &[f32]) -> Option<ModelAnswer>;
}
