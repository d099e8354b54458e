//! Moves each job one step at a time, as far as policy allows; where a steward must decide, it waits
//! for the steward's command to change the vault.
//!
//! Two lines of work run beside each other: an evaluation takes hours, and meanwhile other jobs are
//! offered, released and sent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Failure, Problem as _};
use fedval_disclosure::Releasable;
use fedval_egress::Connection;
use fedval_study::RoundId;
use fedval_vault::{Approval, CommitError, Job, JobState, Vault, VaultError};
use tokio::sync::watch;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::{Agent, job};
use crate::site_policy;

/// The vault is looked at this often.
const POLL_MILLIS: u64 = 250;

/// Works for as long as the agent runs.
pub(super) async fn work(
    agent: Arc<Agent>,
    connection: watch::Receiver<Option<Connection>>,
) -> Result<(), Failure> {
    let mut evaluating = Worker::new(&agent, &connection);
    let mut answering = Worker::new(&agent, &connection);
    tokio::try_join!(evaluating.evaluate_all(), answering.answer_all())?;
    Ok(())
}

struct Worker {
    agent: Arc<Agent>,
    connection: watch::Receiver<Option<Connection>>,
    backoff: Backoff,
    /// Results that the coordinator refused for good.
    given_up: BTreeSet<RoundId>,
}

impl Worker {
    fn new(agent: &Arc<Agent>, connection: &watch::Receiver<Option<Connection>>) -> Self {
        Self {
            agent: Arc::clone(agent),
            connection: connection.clone(),
            backoff: Backoff::default(),
            given_up: BTreeSet::new(),
        }
    }

    async fn evaluate_all(&mut self) -> Result<(), Failure> {
        loop {
            let jobs = self.agent.vault.job_list().await?;
            let is_connected = self.connection.borrow().is_some();
            let is_due = |job: &&Job| {
                matches!(job.state, JobState::Approved | JobState::Running)
                    && self.backoff.is_over(job.round(), Instant::now())
                    && (is_connected || self.agent.home.artifact(&job.dispatch.model.0).exists())
            };
            // One at a time: by the end of the first, the list is old.
            if let Some(job) = jobs.iter().find(is_due) {
                self.evaluate(job).await?;
            }
            pause().await;
        }
    }

    async fn answer_all(&mut self) -> Result<(), Failure> {
        loop {
            for job in self.agent.vault.job_list().await? {
                match job.state {
                    JobState::Offered => self.consider(&job).await?,
                    JobState::AwaitingRelease => self.consider_release(&job).await?,
                    JobState::Released => self.send(&job).await?,
                    JobState::Approved
                    | JobState::Running
                    | JobState::Sent
                    | JobState::Cancelled => {}
                }
            }
            pause().await;
        }
    }

    /// Without a valid policy every job is refused; with one, a named protocol runs by itself.
    async fn consider(&self, job: &Job) -> Result<(), Failure> {
        let agent = &self.agent;
        let Some(policy) = job::policy_or_refuse(agent, job).await? else { return Ok(()) };
        if policy.runs_without_approval(job.dispatch.protocol) {
            let (round, now) = (job.round(), agent.clock.now());
            agent.vault.job_move(round, JobState::Offered, JobState::Approved, now).await?;
        }
        Ok(())
    }

    /// Runs a job to its result, or until it is declined or its round is over.
    async fn evaluate(&mut self, job: &Job) -> Result<(), Failure> {
        let (agent, round) = (Arc::clone(&self.agent), job.round());
        let (from, to) = (JobState::Approved, JobState::Running);
        if job.state == from && !agent.vault.job_move(round, from, to, agent.clock.now()).await? {
            return Ok(());
        }
        tokio::select! {
            done = self.fetch_and_run(job) => done,
            taken = taken_back(&agent.vault, round) => {
                taken?;
                tracing::info!(%round, "evaluation stopped");
                Ok(())
            }
        }
    }

    async fn fetch_and_run(&mut self, job: &Job) -> Result<(), Failure> {
        let (agent, round) = (&self.agent, job.round());
        let model = agent.home.artifact(&job.dispatch.model.0);
        if !model.exists() {
            let Some(connection) = self.connection.borrow().clone() else { return Ok(()) };
            let dispatch = &job.dispatch;
            let fetched =
                connection.download(&dispatch.model.0, dispatch.model_bytes, &model).await;
            if let Err(error) = fetched {
                tracing::warn!(%round, code = error.code(), "model not fetched");
                agent.vault.job_note(round, error.code()).await?;
                self.backoff.failed(round, Instant::now());
                return Ok(());
            }
            self.backoff.succeeded(round);
        }
        job::run(agent, job).await
    }

    /// What waits stays until a steward looks at it, unless the policy names the protocol.
    async fn consider_release(&self, job: &Job) -> Result<(), Failure> {
        let agent = &self.agent;
        let Ok(policy) = site_policy::load(&agent.home, &agent.identity, agent.clock.as_ref())
        else {
            return Ok(());
        };
        if policy.releases_without_steward(job.dispatch.protocol) {
            return self.commit(job).await;
        }
        Ok(())
    }

    async fn commit(&self, job: &Job) -> Result<(), Failure> {
        let agent = &self.agent;
        let Some(vetted) = agent.vault.vetted_find(job.round()).await? else { return Ok(()) };
        let approval = Approval { digest: vetted.digest, approver: "policy".to_owned() };
        match agent.vault.release_commit(job.round(), &approval, agent.clock.now()).await {
            Ok(()) => {
                tracing::info!(round = %job.round(), "result released");
                Ok(())
            }
            Err(CommitError::Vault(error)) => Err(error.into()),
            Err(error) => {
                tracing::warn!(round = %job.round(), code = error.code(), "result not released");
                Ok(())
            }
        }
    }

    async fn send(&mut self, job: &Job) -> Result<(), Failure> {
        let (agent, round) = (&self.agent, job.round());
        if self.given_up.contains(round) || !self.backoff.is_over(round, Instant::now()) {
            return Ok(());
        }
        let Some(connection) = self.connection.borrow().clone() else { return Ok(()) };
        let Some(result) = Releasable::from_ledger(&agent.vault, round).await.map_err(broken)?
        else {
            return Ok(());
        };
        match connection.submit(&result, &agent.identity.key, job.lease_epoch).await {
            Ok(digest) => {
                agent.vault.sent_record(round, digest, agent.clock.now()).await?;
                self.backoff.succeeded(round);
                tracing::info!(%round, "result sent");
            }
            Err(error) => {
                tracing::warn!(%round, code = error.code(), "result not delivered");
                agent.vault.job_note(round, error.code()).await?;
                if error.is_passing() {
                    self.backoff.failed(round, Instant::now());
                } else {
                    self.given_up.insert(round.clone());
                }
            }
        }
        Ok(())
    }
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(POLL_MILLIS)).await;
}

/// Ends when a running job was declined by a steward or cancelled by the coordinator.
async fn taken_back(vault: &Vault, round: &RoundId) -> Result<(), VaultError> {
    loop {
        pause().await;
        let state = vault.job_find(round).await?.map(|job| job.state);
        if matches!(state, None | Some(JobState::Released | JobState::Cancelled)) {
            return Ok(());
        }
    }
}

fn broken(error: fedval_disclosure::ReleaseError<VaultError>) -> Failure {
    match error {
        fedval_disclosure::ReleaseError::Ledger(error) => error.into(),
        other => Failure::new(
            fedval_ambient::Exit::Machine,
            "LEDGER_DAMAGED",
            other.to_string(),
            "nothing leaves this site until its vault is restored from a backup",
        ),
    }
}
