//! Opens what is durable: store, artifacts, keys.

use std::sync::Arc;

use fedval_ambient::{Exit, Failure, OsEntropy, SystemClock};
use fedval_core::Coordinator;
use fedval_store::{FolderArtifacts, SqliteStore};

use crate::config::Config;
use crate::home::Home;

pub(super) async fn open(home: &Home, config: &Config) -> Result<Coordinator, Failure> {
    if config.store.is_some() || config.artifacts.is_some() {
        return Err(Failure::new(
            Exit::Usage,
            "CONFIG_INVALID",
            "this build keeps its data in the coordinator's folder only",
            "remove `store` and `artifacts` from fedval.toml",
        ));
    }
    let identity = home.identity()?;
    let store = SqliteStore::open(&home.database()).await?;
    let folder = home.artifacts();
    let artifacts = FolderArtifacts::open(&folder)
        .map_err(|error| Failure::disk("open", &folder, &std::io::Error::other(error)))?;
    Ok(Coordinator::new(
        Arc::new(store),
        Arc::new(artifacts),
        Arc::new(identity),
        Arc::new(SystemClock),
        Arc::new(OsEntropy),
    ))
}
