//! Moves each job one step at a time, as far as policy allows; where a steward must decide, it waits
//! for the steward's command to change the vault.
//!
//! Two lines of work run beside each other: an evaluation takes hours, and meanwhile other jobs are
//! offered, released and sent.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Failure, Problem as _};
use fedval_disclosure::{Releasable, ReleaseError};
use fedval_egress::{EgressError, part_of};
use fedval_study::PolicyDigest;
use fedval_vault::{Approval, CommitError, Job, JobState, VaultError};
use tokio::sync::watch;

use super::backoff::Backoff;
use super::job::Ran;
use super::link::Link;
use super::to_mend::ToMend;
use super::{Agent, answer_time, bell, forbidden, job, log};
use crate::{shards, site_policy};

/// Waits that ended are noticed at this rate; everything else rings the bell.
const LOOK: Duration = Duration::from_secs(1);

/// What delays a job whose PACS may not be asked at this time of day.
const OUTSIDE_HOURS: &str = "PACS_OUTSIDE_HOURS";

/// The way to the coordinator, while there is one.
pub type Way = watch::Receiver<Option<Arc<dyn Link>>>;

/// Works for as long as the agent runs.
pub(super) async fn work(agent: Arc<Agent>, way: Way) -> Result<(), Failure> {
    let mut evaluating = Worker::new(&agent, &way);
    let mut answering = Worker::new(&agent, &way);
    tokio::try_join!(evaluating.evaluate_all(), answering.answer_all())?;
    Ok(())
}

/// One line of work. What it remembers it may forget: a restart begins with a new one.
#[derive(Debug)]
pub struct Worker {
    agent: Arc<Agent>,
    way: Way,
    backoff: Backoff,
    to_mend: ToMend,
}

impl Worker {
    /// A line of work that remembers nothing.
    #[must_use]
    pub fn new(agent: &Arc<Agent>, way: &Way) -> Self {
        let (backoff, to_mend) = (Backoff::default(), ToMend::default());
        Self { agent: Arc::clone(agent), way: way.clone(), backoff, to_mend }
    }

    async fn evaluate_all(&mut self) -> Result<(), Failure> {
        let mut rings = self.agent.bell.listen();
        loop {
            while self.evaluate_next().await? {}
            bell::heard(&mut rings, LOOK).await;
        }
    }

    async fn answer_all(&mut self) -> Result<(), Failure> {
        let mut rings = self.agent.bell.listen();
        loop {
            while self.answer_next().await? {}
            bell::heard(&mut rings, LOOK).await;
        }
    }

    /// Evaluates the first job that is due. `false` where none is.
    ///
    /// # Errors
    ///
    /// [`Failure`] if this machine failed.
    pub async fn evaluate_next(&mut self) -> Result<bool, Failure> {
        let jobs = self.agent.vault.job_list().await?;
        let evaluated = jobs.iter().filter(|job| is_evaluated(job.state));
        // Also while evaluation is paused: what is not evaluated any more leaves no secret behind.
        shards::forget_others(&self.agent.home, evaluated.map(Job::round))?;
        if self.agent.is_paused() {
            return Ok(false);
        }
        for job in jobs.iter().filter(|job| self.is_due(job)) {
            let Some(closed) = self.closed(job) else {
                self.evaluate(job).await?;
                return Ok(true);
            };
            if job.delay.as_ref() != Some(&closed) {
                self.agent.vault.job_delay(job.round(), Some(&closed)).await?;
            }
        }
        Ok(false)
    }

    /// Why a job or its data source may not be tried now, if so.
    fn closed(&self, job: &Job) -> Option<String> {
        let (agent, study) = (&self.agent, &job.dispatch.study);
        let now = agent.clock.monotonic();
        let to_mend = self.to_mend.reason(agent.source_name(study), job.round(), now);
        let outside_hours = || (!agent.is_open_for(study)).then_some(OUTSIDE_HOURS);
        to_mend.or_else(outside_hours).map(str::to_owned)
    }

    fn is_due(&self, job: &Job) -> bool {
        is_evaluated(job.state)
            && self.backoff.is_over(job.round(), self.agent.clock.monotonic())
            && (self.way.borrow().is_some()
                || self.agent.home.artifact(&job.dispatch.model.0).exists())
    }

    /// Moves the first job that waits for an answer, a release or its delivery. `false` where none
    /// moved.
    ///
    /// # Errors
    ///
    /// [`Failure`] if this machine failed.
    pub async fn answer_next(&mut self) -> Result<bool, Failure> {
        for job in self.agent.vault.job_list().await? {
            let moved = match job.state {
                JobState::Offered => self.consider(&job).await?,
                JobState::AwaitingRelease => self.consider_release(&job).await?,
                JobState::Released => self.send(&job).await?,
                JobState::Approved | JobState::Running | JobState::Sent | JobState::Cancelled => {
                    false
                }
            };
            if moved {
                self.agent.bell.ring();
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Without a valid policy every job is refused; with one, a named protocol runs by itself.
    async fn consider(&self, job: &Job) -> Result<bool, Failure> {
        let agent = &self.agent;
        let Some(policy) = job::policy_or_refuse(agent, job).await? else { return Ok(true) };
        if !policy.runs_without_approval(job.dispatch.protocol) {
            return Ok(false);
        }
        Ok(agent.vault.job_approve(job.round(), "policy", agent.clock.now()).await?)
    }

    /// Runs a job to its result, or until it is declined, its round is over, evaluation is paused, or
    /// its PACS may not be asked any longer.
    async fn evaluate(&mut self, job: &Job) -> Result<(), Failure> {
        let (agent, round) = (Arc::clone(&self.agent), job.round());
        let (from, to) = (JobState::Approved, JobState::Running);
        if job.state == from {
            if !agent.vault.job_move(round, from, to, agent.clock.now()).await? {
                return Ok(());
            }
            agent.bell.ring();
        }
        let ended = tokio::select! {
            done = self.fetch_and_run(job) => done,
            stopped = stopped(&agent, job) => stopped.map_err(Failure::from).map(|()| {
                tracing::info!(%round, "evaluation stopped");
            }),
        };
        // However it ended: its cases say what their files tried.
        forbidden::note_files(&agent, job).await?;
        ended
    }

    async fn fetch_and_run(&mut self, job: &Job) -> Result<(), Failure> {
        let (agent, round) = (&self.agent, job.round());
        let model = agent.home.artifact(&job.dispatch.model.0);
        if !model.exists() {
            let Some(link) = self.way.borrow().clone() else { return Ok(()) };
            let (dispatch, before) = (&job.dispatch, arrived(&model));
            let fetched = link.download(&dispatch.model.0, dispatch.model_bytes, &model).await;
            if let Err(error) = fetched {
                tracing::warn!(%round, code = error.code(), "model not fetched");
                agent.vault.job_delay(round, Some(error.code())).await?;
                if arrived(&model) > before {
                    // On a network that cuts every connection soon, the model comes piece by piece.
                    self.backoff.succeeded(round);
                }
                self.backoff.failed(round, agent.clock.monotonic());
                return Ok(());
            }
            agent.vault.job_delay(round, None).await?;
            self.backoff.succeeded(round);
            agent.bell.ring();
        }
        if job.delay.is_some() {
            agent.vault.job_delay(round, None).await?;
        }
        match job::run(agent, job).await? {
            Ran::ToItsEnd => {}
            Ran::AgainSoon => self.backoff.failed(round, agent.clock.monotonic()),
            Ran::AgainLater(code) => {
                let source = agent.source_name(&job.dispatch.study);
                self.to_mend.add(source, round, code, agent.clock.monotonic());
            }
        }
        Ok(())
    }

    /// What waits stays until a steward looks at it, unless the policy names the protocol.
    async fn consider_release(&self, job: &Job) -> Result<bool, Failure> {
        let agent = &self.agent;
        let Ok(policy) = site_policy::load(&agent.home, &agent.identity) else { return Ok(false) };
        // Where two persons must look, no policy takes the place of one.
        let by_itself = policy.releases_without_steward(job.dispatch.protocol);
        if by_itself && !policy.asks_for_two_persons() {
            return self.commit(job, policy.digest()).await;
        }
        Ok(false)
    }

    async fn commit(&self, job: &Job, policy: PolicyDigest) -> Result<bool, Failure> {
        let agent = &self.agent;
        let Some(vetted) = agent.vault.vetted_find(job.round()).await? else { return Ok(false) };
        let (digest, approver) = (vetted.digest, "policy".to_owned());
        let approval = Approval { digest, approver, policy: Some(policy) };
        match agent.vault.release_commit(job.round(), &approval, agent.clock.now()).await {
            Ok(()) => {
                tracing::info!(round = %job.round(), "result released");
                Ok(true)
            }
            // It goes back to be vetted again, which is progress.
            Err(CommitError::Stale) => Ok(true),
            Err(CommitError::Vault(error)) => Err(error.into()),
            Err(error) => {
                tracing::warn!(round = %job.round(), code = error.code(), "result not released");
                agent.vault.job_delay(job.round(), Some(error.code())).await?;
                Ok(false)
            }
        }
    }

    async fn send(&mut self, job: &Job) -> Result<bool, Failure> {
        let (agent, round) = (&self.agent, job.round());
        // The coordinator refuses whoever holds no lease; one is granted as soon as it is told.
        let has_no_lease = job.lease_epoch == 0;
        let waits = has_no_lease || !self.backoff.is_over(round, agent.clock.monotonic());
        let Some(link) = self.way.borrow().clone().filter(|_| !waits) else { return Ok(false) };
        let Some(result) = Releasable::from_ledger(&agent.vault, round).await.map_err(broken)?
        else {
            return Ok(false);
        };
        if !answer_time::has_come(agent, job).await? {
            return Ok(false);
        }
        if agent.vault.ledger_missing().await? > 0 {
            agent.vault.job_delay(round, Some("LEDGER_ROLLED_BACK")).await?;
            return Ok(false);
        }
        let mark = agent.vault.ledger_mark(&agent.identity.site).await?;
        match link.submit(&result, &agent.identity.key, job.lease_epoch, &mark).await {
            Ok(digest) => {
                agent.vault.sent_record(round, digest, agent.clock.now()).await?;
                self.backoff.succeeded(round);
                tracing::info!(%round, "result sent");
                // So that the log that holds this answer carries this site's signature.
                log::follow(agent, link.as_ref()).await?;
                Ok(true)
            }
            Err(error) => {
                self.not_delivered(job, &error).await?;
                Ok(false)
            }
        }
    }

    async fn not_delivered(&mut self, job: &Job, error: &EgressError) -> Result<(), Failure> {
        let (agent, round) = (&self.agent, job.round());
        tracing::warn!(%round, code = error.code(), "result not delivered");
        agent.metrics.delivery_failed(error.code());
        agent.vault.job_delay(round, Some(error.code())).await?;
        // Also where it was refused: a lease may be on its way, a restored coordinator's operator may
        // dispatch the round again. Nobody has to restart the agent for that.
        self.backoff.failed(round, agent.clock.monotonic());
        Ok(())
    }
}

const fn is_evaluated(state: JobState) -> bool {
    matches!(state, JobState::Approved | JobState::Running)
}

/// How much of a file that is being fetched is on the disk.
fn arrived(file: &Path) -> u64 {
    std::fs::metadata(part_of(file)).map_or(0, |part| part.len())
}

/// Ends when a running job was declined by a steward, cancelled by the coordinator, or paused, or when
/// the hours of its PACS are over.
async fn stopped(agent: &Agent, job: &Job) -> Result<(), VaultError> {
    let mut rings = agent.bell.listen();
    loop {
        let state = agent.vault.job_find(job.round()).await?.map(|job| job.state);
        let is_over = matches!(state, None | Some(JobState::Released | JobState::Cancelled));
        if is_over || agent.is_paused() || !agent.is_open_for(&job.dispatch.study) {
            return Ok(());
        }
        bell::heard(&mut rings, LOOK).await;
    }
}

fn broken(error: ReleaseError<VaultError>) -> Failure {
    match error {
        ReleaseError::Ledger(error) => error.into(),
        other => Failure::new(
            fedval_ambient::Exit::Machine,
            "LEDGER_DAMAGED",
            other.to_string(),
            "nothing leaves this site until its vault is restored from a backup",
        ),
    }
}
