//! Opens what is durable: store, artifacts, keys.

use std::sync::Arc;

use fedval_ambient::{Clock as _, Failure, OsEntropy, SystemClock};
use fedval_core::port::PersonRow;
use fedval_core::{Coordinator, Store};
use fedval_study::{LogEntry, LogEvent, Sha256Digest};
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
    let coordinator = Coordinator::new(
        store,
        artifacts,
        Arc::new(identity),
        Arc::new(SystemClock),
        Arc::new(OsEntropy),
    );
    coordinator.log_settle().await?;
    Ok(coordinator)
}

/// A store that was named after `fedval init` does not know the operator whom `init` made.
async fn introduce_operator(home: &Home, store: &dyn Store) -> Result<(), Failure> {
    let Ok(certificate) = home.certificate("operator") else { return Ok(()) };
    let Role::Person(role, name) = certificate.role().clone() else { return Ok(()) };
    let key = certificate.public_key();
    // Only where nobody is known: whoever was dismissed since stays so.
    if store.person_list().await?.is_empty() {
        store.person_put(&PersonRow { name: name.clone(), role, key }).await?;
        let event = LogEvent::PersonAdmitted { name, role, key: Sha256Digest::of(key.as_bytes()) };
        store.log_append(&[LogEntry { at_ms: SystemClock.now().unix_millis(), event }]).await?;
    }
    Ok(())
}
