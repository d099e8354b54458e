//! Background job: asks for a new certificate once half the life of the present one is over.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fedval_ambient::{Failure, Problem as _};
use fedval_egress::Connection;
use fedval_trust::Certificate;
use tokio::sync::watch;

use super::Agent;

/// How often it is looked at. Monotonic: a clock that is set right is noticed within it.
const LOOK_SECONDS: u64 = 600;

/// The certificate in use; a new one counts from the next connection on.
#[derive(Debug)]
pub(super) struct Current(Mutex<Certificate>);

impl Current {
    pub(super) const fn new(certificate: Certificate) -> Self {
        Self(Mutex::new(certificate))
    }

    pub(super) fn get(&self) -> Certificate {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, certificate: Certificate) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = certificate;
    }
}

/// Renews for as long as the agent runs.
pub(super) async fn renew(
    agent: &Agent,
    mut connection: watch::Receiver<Option<Connection>>,
) -> Result<(), Failure> {
    loop {
        let current = connection.borrow_and_update().clone();
        if let Some(connection) = current {
            renew_once(agent, &connection).await?;
        }
        let look = Duration::from_secs(LOOK_SECONDS);
        if matches!(tokio::time::timeout(look, connection.changed()).await, Ok(Err(_))) {
            return std::future::pending().await;
        }
    }
}

async fn renew_once(agent: &Agent, connection: &Connection) -> Result<(), Failure> {
    let (held, now) = (agent.certificate.get(), agent.clock.now());
    if now < held.half_life() {
        return Ok(());
    }
    match connection.renew(&agent.identity.root, &held, now).await {
        Ok(renewed) => {
            agent.home.write_certificate(&renewed)?;
            agent.certificate.set(renewed);
            tracing::info!("certificate renewed");
        }
        Err(error) => tracing::warn!(code = error.code(), "certificate not renewed"),
    }
    Ok(())
}
