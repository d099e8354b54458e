//! Where a coordinator's rows and models are, as its configuration says.

use std::path::Path;
use std::sync::Arc;

use fedval_ambient::Failure;
use fedval_core::{Artifacts, Store};
use fedval_store::{ArtifactsConfig, BucketAccess, StoreConfig, artifacts_open, store_open};
use rustix::fs::{Access, access};

use crate::config::Config;

/// Opens the store and brings its schema up to date. Paths begin in `folder`.
pub(crate) async fn store(folder: &Path, config: &Config) -> Result<Arc<dyn Store>, Failure> {
    Ok(store_open(&store_config(folder, config)?).await?)
}

/// Opens the place of artifacts. Paths begin in `folder`.
pub(crate) async fn artifacts(
    folder: &Path,
    config: &Config,
) -> Result<Arc<dyn Artifacts>, Failure> {
    Ok(artifacts_open(&artifacts_config(folder, config)?).await?)
}

/// A server does not start where it could keep nothing: on a disk that can only be read, a database
/// opens all the same, and the first result would find out.
pub(crate) fn check_writable(folder: &Path, config: &Config) -> Result<(), Failure> {
    if let StoreConfig::File(file) = store_config(folder, config)? {
        is_writable(file.parent().unwrap_or(folder))?;
    }
    if let ArtifactsConfig::Folder(artifacts) = artifacts_config(folder, config)? {
        is_writable(&artifacts)?;
    }
    Ok(())
}

fn is_writable(folder: &Path) -> Result<(), Failure> {
    access(folder, Access::WRITE_OK)
        .map_err(|error| Failure::disk("write to", folder, &error.into()))
}

fn store_config(folder: &Path, config: &Config) -> Result<StoreConfig, Failure> {
    let password_file = config.store_password_file.as_deref();
    Ok(StoreConfig::parse(config.store.as_deref(), password_file, folder)?)
}

fn artifacts_config(folder: &Path, config: &Config) -> Result<ArtifactsConfig, Failure> {
    let access = BucketAccess {
        endpoint: config.artifacts_endpoint.clone(),
        region: config.artifacts_region.clone(),
        credentials_file: config.artifacts_credentials_file.clone(),
        allow_http: config.artifacts_allow_http,
    };
    Ok(ArtifactsConfig::parse(config.artifacts.as_deref(), access, folder)?)
}
