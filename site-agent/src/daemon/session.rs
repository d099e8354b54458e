//! Holds the work stream: connects, hears, says which phase each job is in, reconnects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Failure, Problem};
use fedval_egress::{Connection, Coordinator, EgressError, Heard, JobPhase, WorkStream};
use fedval_study::RoundId;
use fedval_vault::{Job, JobState};
use tokio::sync::watch;

use super::{Agent, intake};

/// Phases are compared with the vault at this rate.
const TICK_MILLIS: u64 = 250;
/// A lease lasts ten minutes; this is well inside.
const HEARTBEAT_SECONDS: u64 = 60;
/// First and longest wait before a new attempt.
const FIRST_WAIT_SECONDS: u64 = 1;
const LONGEST_WAIT_SECONDS: u64 = 60;

/// Holds the stream for as long as the agent runs.
pub(super) async fn hold(
    agent: Arc<Agent>,
    coordinator: Coordinator,
    connected: watch::Sender<Option<Connection>>,
) -> Result<(), Failure> {
    let mut wait = FIRST_WAIT_SECONDS;
    loop {
        let identity = &agent.identity;
        let opened =
            Connection::open(&coordinator, &identity.root, &identity.certificate, &identity.key);
        let mut is_held = false;
        let ended = match opened.await {
            Ok(connection) => {
                let stream = connection.work(&agent.build.0).await;
                match stream {
                    Ok(stream) => {
                        is_held = true;
                        tracing::info!("coordinator connected");
                        connected.send_replace(Some(connection.clone()));
                        Session { agent: &agent, connection, stream, told: BTreeMap::new() }
                            .run()
                            .await
                    }
                    Err(error) => Err(SessionEnd::Egress(error)),
                }
            }
            Err(error) => Err(SessionEnd::Egress(error)),
        };
        connected.send_replace(None);
        match ended {
            Err(SessionEnd::Vault(failure)) => return Err(failure),
            Err(SessionEnd::Egress(error)) => {
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

/// Half to all of the wait, so that the agents of a consortium do not return all at once.
fn jittered(agent: &Agent, seconds: u64) -> Duration {
    let random = u64::from(agent.entropy.bytes32()[0]);
    Duration::from_millis(seconds * 500 + seconds * 500 * random / 255)
}

/// Why a session ended.
enum SessionEnd {
    /// The connection: try again.
    Egress(EgressError),
    /// This machine: stop.
    Vault(Failure),
}

impl From<EgressError> for SessionEnd {
    fn from(error: EgressError) -> Self {
        Self::Egress(error)
    }
}

impl From<fedval_vault::VaultError> for SessionEnd {
    fn from(error: fedval_vault::VaultError) -> Self {
        Self::Vault(error.into())
    }
}

/// One connection's life.
struct Session<'a> {
    agent: &'a Agent,
    connection: Connection,
    stream: WorkStream,
    told: BTreeMap<RoundId, JobPhase>,
}

impl Session<'_> {
    async fn run(mut self) -> Result<(), SessionEnd> {
        let mut tick = tokio::time::interval(Duration::from_millis(TICK_MILLIS));
        let mut heartbeat = tokio::time::interval(Duration::from_secs(HEARTBEAT_SECONDS));
        loop {
            tokio::select! {
                heard = self.stream.hear() => match heard? {
                    Some(heard) => self.act_on(heard).await?,
                    None => return Ok(()),
                },
                _ = tick.tick() => self.tell_phases().await?,
                _ = heartbeat.tick() => self.stream.heartbeat().await?,
            }
        }
    }

    async fn act_on(&mut self, heard: Heard) -> Result<(), SessionEnd> {
        match heard {
            Heard::Offer(offer) => {
                let round = offer.dispatch.round.clone();
                if let Err(refusal) = intake::take(self.agent, &self.connection, *offer).await {
                    tracing::warn!(%round, code = refusal.code(), "offer not taken");
                    if let intake::IntakeError::Vault(error) = refusal {
                        return Err(error.into());
                    }
                }
            }
            Heard::Lease { round, epoch } => self.agent.vault.job_set_lease(&round, epoch).await?,
            Heard::Cancel { round } => {
                if self.agent.vault.job_cancel(&round, self.agent.clock.now()).await? {
                    tracing::info!(%round, "job cancelled");
                }
            }
        }
        Ok(())
    }

    async fn tell_phases(&mut self) -> Result<(), SessionEnd> {
        for job in self.agent.vault.job_list().await? {
            let Some(phase) = phase_of(self.agent, &job) else { continue };
            if self.told.get(job.round()) != Some(&phase) {
                // A round that ran through approval between two looks still needs its lease.
                if phase != JobPhase::Queued && !self.told.contains_key(job.round()) {
                    self.stream.phase(job.round(), JobPhase::Approved).await?;
                }
                self.stream.phase(job.round(), phase).await?;
                self.told.insert(job.round().clone(), phase);
            }
        }
        Ok(())
    }
}

fn phase_of(agent: &Agent, job: &Job) -> Option<JobPhase> {
    match job.state {
        JobState::Offered => Some(JobPhase::Queued),
        JobState::Approved => Some(JobPhase::Approved),
        JobState::Running if !agent.home.artifact(&job.dispatch.model.0).exists() => {
            Some(JobPhase::Downloading)
        }
        JobState::Running => Some(JobPhase::Evaluating),
        JobState::AwaitingRelease => Some(JobPhase::AwaitingRelease),
        JobState::Released => Some(JobPhase::Sent),
        // What was sent in an earlier life of the agent need not be told again.
        JobState::Sent | JobState::Cancelled => None,
    }
}
