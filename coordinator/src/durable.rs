//! Where a coordinator's rows and models are, as its configuration says.

use std::path::Path;
use std::sync::Arc;

use fedval_ambient::Failure;
use fedval_core::{Artifacts, Store};
use fedval_store::{ArtifactsConfig, BucketAccess, StoreConfig, artifacts_open, store_open};

use crate::config::Config;

/// Opens the store and brings its schema up to date. Paths begin in `folder`.
pub(crate) async fn store(folder: &Path, config: &Config) -> Result<Arc<dyn Store>, Failure> {
    let password_file = config.store_password_file.as_deref();
    let store = StoreConfig::parse(config.store.as_deref(), password_file, folder)?;
    Ok(store_open(&store).await?)
}

/// Opens the place of artifacts. Paths begin in `folder`.
pub(crate) async fn artifacts(
    folder: &Path,
    config: &Config,
) -> Result<Arc<dyn Artifacts>, Failure> {
    let access = BucketAccess {
        endpoint: config.artifacts_endpoint.clone(),
        region: config.artifacts_region.clone(),
        credentials_file: config.artifacts_credentials_file.clone(),
        allow_http: config.artifacts_allow_http,
    };
    let artifacts = ArtifactsConfig::parse(config.artifacts.as_deref(), access, folder)?;
    Ok(artifacts_open(&artifacts).await?)
}
