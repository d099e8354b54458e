//! Opens what is durable: store, artifacts, keys.

use std::sync::Arc;

use fedval_ambient::{Failure, OsEntropy, SystemClock};
use fedval_core::port::OperatorRow;
use fedval_core::{Coordinator, Store};
use fedval_trust::Role;

use crate::config::Config;
use crate::durable;
use crate::home::Home;

pub(super) async fn open(home: &Home, config: &Config) -> Result<Coordinator, Failure> {
    durable::check_writable(home.folder(), config)?;
    let identity = home.identity()?;
    let store = durable::store(home.folder(), config).await?;
    let artifacts = durable::artifacts(home.folder(), config).await?;
    introduce_operator(home, store.as_ref()).await?;
    Ok(Coordinator::new(
        store,
        artifacts,
        Arc::new(identity),
        Arc::new(SystemClock),
        Arc::new(OsEntropy),
    ))
}

/// A store that was named after `fedval init` does not know the operator whom `init` made.
async fn introduce_operator(home: &Home, store: &dyn Store) -> Result<(), Failure> {
    let Ok(certificate) = home.certificate("operator") else { return Ok(()) };
    let Role::Operator(name) = certificate.role().clone() else { return Ok(()) };
    let key = certificate.public_key();
    if store.operator_by_key(&key).await?.is_none() {
        store.operator_put(&OperatorRow { name, key }).await?;
    }
    Ok(())
}
