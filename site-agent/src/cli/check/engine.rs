//! Whether whoever runs the models here can be used.

use std::path::Path;

use fedval_ambient::Failure;
use fedval_inference::{BoxProgram, INFERENCE_ROLE, ModelEngine, RuntimeLibrary};

use crate::home::Home;

pub(super) async fn check(home: &Home) -> Result<String, Failure> {
    let config = home.config()?;
    // Opening a library compares it with its digest.
    let engines = config.inference.engines(config.limits.lanes)?;
    for engine in std::iter::once(&engines.engine).chain(&engines.second) {
        match engine {
            ModelEngine::Embedded => {}
            ModelEngine::OnnxRuntime(library) => try_out(home, library).await?,
            ModelEngine::Server(server) => server.check().await?,
        }
    }
    Ok(config.inference.describe().to_owned())
}

/// Runs a model of one node with it, in a box.
async fn try_out(home: &Home, library: &RuntimeLibrary) -> Result<(), Failure> {
    let program = BoxProgram::current(INFERENCE_ROLE)
        .map_err(|error| Failure::disk("open", Path::new("/proc/self/exe"), &error))?;
    Ok(library.try_out(&program, &home.config()?.limits.inference()).await?)
}
