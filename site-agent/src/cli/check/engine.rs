//! Whether whoever runs the models here can be used.

use fedval_ambient::Failure;
use fedval_inference::ModelEngine;

use crate::home::Home;

pub(super) async fn check(home: &Home) -> Result<String, Failure> {
    let config = home.config()?;
    // Opening a library compares it with its digest.
    let engines = config.inference.engines(config.limits.lanes)?;
    if let ModelEngine::Server(server) = &engines.engine {
        server.check().await?;
    }
    Ok(config.inference.describe().to_owned())
}
