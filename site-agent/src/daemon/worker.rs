//! Moves each job one step at a time, as far as policy allows; where a steward must decide, it waits
//! for the steward's command to change the vault.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Failure, Problem as _};
use fedval_disclosure::{NoAggregates, Releasable};
use fedval_egress::Connection;
use fedval_study::RoundId;
use fedval_vault::{Approval, CommitError, Job, JobState};
use tokio::sync::watch;

use super::{Agent, job};
use crate::site_policy;

/// The vault is looked at this often.
const POLL_MILLIS: u64 = 250;
/// A result that could not be delivered is tried again after this long.
const RESEND_SECONDS: u64 = 5;

/// Works for as long as the agent runs.
pub(super) async fn work(
    agent: Arc<Agent>,
    connection: watch::Receiver<Option<Connection>>,
) -> Result<(), Failure> {
    let mut worker = Worker { agent, connection, given_up: BTreeSet::new() };
    loop {
        for job in worker.agent.vault.job_list().await? {
            worker.step(&job).await?;
        }
        tokio::time::sleep(Duration::from_millis(POLL_MILLIS)).await;
    }
}

struct Worker {
    agent: Arc<Agent>,
    connection: watch::Receiver<Option<Connection>>,
    /// Results that the coordinator refused for good.
    given_up: BTreeSet<RoundId>,
}

impl Worker {
    async fn step(&mut self, job: &Job) -> Result<(), Failure> {
        match job.state {
            JobState::Offered => self.consider(job).await,
            JobState::Approved | JobState::Running => self.evaluate(job).await,
            JobState::AwaitingRelease => self.consider_release(job).await,
            JobState::Released => self.send(job).await,
            JobState::Sent | JobState::Cancelled => Ok(()),
        }
    }

    /// Without a valid policy every job is refused; with one, a named protocol runs by itself.
    async fn consider(&self, job: &Job) -> Result<(), Failure> {
        let agent = &self.agent;
        let policy = match site_policy::load(&agent.home, &agent.identity, agent.clock.as_ref()) {
            Ok(policy) => policy,
            Err(failure) => {
                tracing::warn!(round = %job.round(), code = failure.code, "job refused");
                agent.vault.job_note(job.round(), &failure.code).await?;
                job::answer(agent, job, NoAggregates::Refused, None).await?;
                return self.commit(job, "policy").await;
            }
        };
        if policy.runs_without_approval(job.dispatch.protocol) {
            let (round, now) = (job.round(), agent.clock.now());
            agent.vault.job_move(round, JobState::Offered, JobState::Approved, now).await?;
        }
        Ok(())
    }

    async fn evaluate(&self, job: &Job) -> Result<(), Failure> {
        let (agent, round) = (&self.agent, job.round());
        let now = agent.clock.now();
        agent.vault.job_move(round, JobState::Approved, JobState::Running, now).await?;
        let model = agent.home.artifact(&job.dispatch.model.0);
        if !model.exists() {
            let Some(connection) = self.connection.borrow().clone() else { return Ok(()) };
            let dispatch = &job.dispatch;
            let fetched =
                connection.download(&dispatch.model.0, dispatch.model_bytes, &model).await;
            if let Err(error) = fetched {
                tracing::warn!(%round, code = error.code(), "model not fetched");
                agent.vault.job_note(round, error.code()).await?;
                tokio::time::sleep(Duration::from_secs(RESEND_SECONDS)).await;
                return Ok(());
            }
        }
        job::run(agent, job).await
    }

    /// A refusal leaves by itself; anything computed from data waits unless the policy names it.
    async fn consider_release(&self, job: &Job) -> Result<(), Failure> {
        let agent = &self.agent;
        let Ok(policy) = site_policy::load(&agent.home, &agent.identity, agent.clock.as_ref()) else {
            return Ok(());
        };
        if policy.releases_without_steward(job.dispatch.protocol) {
            return self.commit(job, "policy").await;
        }
        Ok(())
    }

    async fn commit(&self, job: &Job, approver: &str) -> Result<(), Failure> {
        let agent = &self.agent;
        let Some(vetted) = agent.vault.vetted_find(job.round()).await? else { return Ok(()) };
        let approval = Approval { digest: vetted.digest, approver: approver.to_owned() };
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
        if self.given_up.contains(round) {
            return Ok(());
        }
        let Some(connection) = self.connection.borrow().clone() else { return Ok(()) };
        let Some(result) = Releasable::from_ledger(&agent.vault, round).await.map_err(broken)? else {
            return Ok(());
        };
        match connection.submit(&result, &agent.identity.key, job.lease_epoch).await {
            Ok(digest) => {
                agent.vault.sent_record(round, digest, agent.clock.now()).await?;
                tracing::info!(%round, "result sent");
            }
            Err(error) => {
                tracing::warn!(%round, code = error.code(), "result not delivered");
                agent.vault.job_note(round, error.code()).await?;
                if error.is_passing() {
                    tokio::time::sleep(Duration::from_secs(RESEND_SECONDS)).await;
                } else {
                    self.given_up.insert(round.clone());
                }
            }
        }
        Ok(())
    }
}

fn broken(error: fedval_disclosure::ReleaseError<fedval_vault::VaultError>) -> Failure {
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
