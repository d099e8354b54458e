//! Holds the work stream: connects, hears, tells, reconnects.

use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Failure, Problem as _};
use fedval_egress::{Connection, Coordinator, EgressError, Instance, WorkStream};
use tokio::sync::watch;

use super::conversation::Conversation;
use super::{Agent, instance, log};

/// A session lasts two minutes without one; this is well inside.
const HEARTBEAT_SECONDS: u64 = 30;
/// How long the log may take between two heartbeats.
const LOG_PATIENCE: Duration = Duration::from_secs(15);
/// First and longest wait before a new attempt.
const FIRST_WAIT_SECONDS: u64 = 1;
const LONGEST_WAIT_SECONDS: u64 = 60;

/// Holds the stream for as long as the agent runs.
pub(super) async fn hold(
    agent: Arc<Agent>,
    coordinator: Coordinator,
    instance: Instance,
    connected: watch::Sender<Option<Connection>>,
) -> Result<(), Failure> {
    let mut wait = FIRST_WAIT_SECONDS;
    loop {
        let mut is_held = false;
        let ended = match open(&agent, &coordinator, &instance).await {
            Ok((connection, stream)) => {
                is_held = true;
                instance::let_in(&agent.home, &instance)?;
                connected.send_replace(Some(connection.clone()));
                agent.bell.ring();
                converse(&agent, &connection, stream).await
            }
            Err(error) => Err(End::Connection(error)),
        };
        connected.send_replace(None);
        match ended {
            Err(End::Machine(failure)) => return Err(failure),
            Err(End::Connection(error)) => {
                tracing::warn!(code = error.code(), "coordinator connection ended");
                // A stream that ends with a refusal or nonsense would end so again at once.
                is_held &= error.is_passing();
            }
            Ok(()) => tracing::info!("coordinator ended the stream"),
        }
        if is_held {
            wait = FIRST_WAIT_SECONDS;
        }
        tokio::time::sleep(jittered(&agent, wait)).await;
        wait = (wait * 2).min(LONGEST_WAIT_SECONDS);
    }
}

async fn open(
    agent: &Agent,
    coordinator: &Coordinator,
    instance: &Instance,
) -> Result<(Connection, WorkStream), EgressError> {
    let (identity, certificate) = (&agent.identity, agent.certificate.get());
    let connection =
        Connection::open(coordinator, &identity.root, &certificate, &identity.key).await?;
    let stream = connection.work(&agent.build.0, instance).await?;
    Ok((connection, stream))
}

/// Half to all of the wait, so that the agents of a consortium do not return all at once.
fn jittered(agent: &Agent, seconds: u64) -> Duration {
    let random = u64::from(agent.entropy.bytes32()[0]);
    Duration::from_millis(seconds * 500 + seconds * 500 * random / 255)
}

/// Why a conversation ended.
enum End {
    /// The connection: try again.
    Connection(EgressError),
    /// This machine: stop.
    Machine(Failure),
}

impl From<EgressError> for End {
    fn from(error: EgressError) -> Self {
        Self::Connection(error)
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Machine(failure)
    }
}

async fn converse(
    agent: &Agent,
    connection: &Connection,
    mut stream: WorkStream,
) -> Result<(), End> {
    let mut conversation = Conversation::default();
    let mut bell = agent.bell.listen();
    let mut heartbeat = tokio::time::interval(Duration::from_secs(HEARTBEAT_SECONDS));
    loop {
        for (round, phase) in conversation.tell(agent).await? {
            stream.phase(&round, phase).await?;
        }
        tokio::select! {
            heard = stream.hear() => match heard? {
                Some(heard) => conversation.hear(agent, connection, heard).await?,
                None => return Ok(()),
            },
            _ = bell.changed() => {}
            _ = heartbeat.tick() => {
                stream.heartbeat().await?;
                conversation.take_again(agent, connection).await?;
                // A coordinator that is slow with its log must not cost the session its heartbeat.
                let followed = tokio::time::timeout(LOG_PATIENCE, log::follow(agent, connection));
                followed.await.unwrap_or(Ok(()))?;
            }
        }
    }
}
