//! The model in a box.
//!
//! A model is a stranger's program. [`ModelBox`] loads it in a child process that can reach nothing,
//! and asks it for one score at a time: one case a call, so that no output can depend on another
//! patient. Inside the box the file's digest is checked before a byte is parsed, the model is
//! inspected before the engine sees it, and the engine is given bytes, never a path.

mod engine;
mod error;
mod exchange;
mod inspection;
mod model_box;
mod model_file;
mod pooling;
mod worker;

pub use error::{LoadError, ScoreError};
/// The program that is started in the box.
pub use fedval_sandbox::BoxProgram;
pub use inspection::inspect_model;
pub use model_box::{InferenceLimits, ModelBox};
pub use worker::{INFERENCE_ROLE, inference_box_main};
