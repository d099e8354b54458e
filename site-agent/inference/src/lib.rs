//! The model in a box, or on a server of its site.
//!
//! A model is a stranger's program. [`ModelBox`] loads it in a child process that can reach nothing,
//! and asks it for one score at a time: one case a call, so that no output can depend on another
//! patient. Inside the box the file's digest is checked before a byte is parsed, the model is
//! inspected before the engine sees it, and the engine is given bytes, never a path. The engine is embedded,
//! or a library that the site pinned. A site that has an inference server of its own names that instead.

mod answer;
mod engine;
mod error;
mod exchange;
mod inspection;
mod library;
mod model_box;
mod model_engine;
mod model_file;
mod pooling;
mod server;
mod trial_run;
mod worker;

pub use answer::ModelAnswer;
pub use error::{LoadError, ScoreError};
/// The program that is started in the box.
pub use fedval_sandbox::BoxProgram;
pub use inspection::inspect_model;
pub use library::{LibraryError, RuntimeLibrary};
pub use model_box::{InferenceLimits, ModelBox};
pub use model_engine::{LoadedModel, ModelEngine};
pub use server::{ModelServer, ServedModel, ServedName, ServerError, ServerSettings};
pub use worker::{INFERENCE_ROLE, inference_box_main};
