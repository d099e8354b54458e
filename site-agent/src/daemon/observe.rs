//! Background job: keeps the metrics as the vault and the connection are, and shows them on this
//! machine where the configuration asks for it.

use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::Failure;
use fedval_ambient::exposition::Exposition;
use fedval_egress::Connection;
use tokio::sync::watch;

use super::{Agent, bell};

/// Seconds left of a certificate are this old at most.
const LOOK_SECONDS: u64 = 15;

/// Serves for as long as the agent runs.
pub(super) async fn serve(
    agent: &Agent,
    connection: watch::Receiver<Option<Connection>>,
) -> Result<(), Failure> {
    let Some(metrics) = &agent.config.metrics else { return std::future::pending().await };
    let page = Exposition::bind(metrics.listen).await?;
    tracing::info!(listen = %metrics.listen, "metrics served");
    tokio::select! {
        ended = follow(agent, connection) => ended,
        never = page.serve(Arc::new(agent.metrics.clone())) => match never {},
    }
}

async fn follow(
    agent: &Agent,
    mut connection: watch::Receiver<Option<Connection>>,
) -> Result<(), Failure> {
    let mut rung = agent.bell.listen();
    loop {
        agent.metrics.connected(connection.borrow_and_update().is_some());
        agent.metrics.jobs(&agent.vault.job_list().await?);
        let left = agent.certificate.get().not_after().unix_millis();
        agent.metrics.certificate_left((left - agent.clock.now().unix_millis()) / 1000);
        tokio::select! {
            Ok(()) = connection.changed() => {}
            () = bell::heard(&mut rung, Duration::from_secs(LOOK_SECONDS)) => {}
        }
    }
}
