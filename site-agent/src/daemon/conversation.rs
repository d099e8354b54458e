//! What is heard on a connection and what is told on it, without the connection.

use std::collections::BTreeMap;

use fedval_ambient::{Failure, Problem as _};
use fedval_egress::{Heard, JobPhase, LostPart, Offer};
use fedval_study::RoundId;
use fedval_vault::{Job, JobState};

use super::Agent;
use super::answer_time;
use super::intake::{self, IntakeError};
use super::ledger_mark::{self, ShownMark};
use super::link::Link;

/// Why what was told to the coordinator counts no more.
const RESTORED: &str = "COORDINATOR_RESTORED";

/// Why an answer does not leave any more.
const TOO_LATE: &str = "ROUND_CLOSED";

/// One connection's conversation. A new connection begins a new one, and tells everything again.
#[derive(Debug, Default)]
pub struct Conversation {
    told: BTreeMap<RoundId, JobPhase>,
    /// Offers that were not taken for a reason that passes; a coordinator offers once on each connection.
    waiting: Vec<Offer>,
}

impl Conversation {
    /// Acts on what the coordinator said.
    ///
    /// # Errors
    ///
    /// [`Failure`] if this machine failed: the agent stops.
    pub async fn hear(
        &mut self,
        agent: &Agent,
        link: &dyn Link,
        heard: Heard,
    ) -> Result<(), Failure> {
        match heard {
            Heard::Welcome => tracing::info!("coordinator connected"),
            Heard::Offer(offer) => {
                let round = offer.dispatch.round.clone();
                // A round that is known is offered anew by a coordinator that does not know how far
                // this site is.
                self.told.remove(&round);
                self.take(agent, link, *offer).await?;
            }
            Heard::Lease { round, epoch } => {
                agent.vault.job_set_lease(&round, epoch).await?;
                tracing::debug!(%round, epoch, "lease granted");
            }
            Heard::Cancel { round } => cancel(agent, &round).await?,
            Heard::LedgerMark { entries, head, signature, countersignature } => {
                let shown = ShownMark { entries, head, signature, countersignature };
                // What is wrong with it is told there.
                ledger_mark::hear(agent, &shown).await?;
            }
            Heard::Lost { round, part } => self.heal(agent, &round, part).await?,
        }
        agent.bell.ring();
        Ok(())
    }

    /// Tries again to take the offers that wait.
    ///
    /// # Errors
    ///
    /// [`Failure`] if this machine failed.
    pub async fn take_again(&mut self, agent: &Agent, link: &dyn Link) -> Result<(), Failure> {
        for offer in std::mem::take(&mut self.waiting) {
            self.take(agent, link, offer).await?;
        }
        agent.bell.ring();
        Ok(())
    }

    async fn take(&mut self, agent: &Agent, link: &dyn Link, offer: Offer) -> Result<(), Failure> {
        let round = offer.dispatch.round.clone();
        let Err(refusal) = intake::take(agent, link, offer.clone()).await else { return Ok(()) };
        if refusal.is_alarm() {
            tracing::error!(%round, code = refusal.code(), "offer refused: {refusal}");
        } else {
            tracing::warn!(%round, code = refusal.code(), "offer not taken");
        }
        match refusal {
            IntakeError::Vault(error) => return Err(error.into()),
            refusal if refusal.is_passing() => self.waiting.push(offer),
            _ => {}
        }
        Ok(())
    }

    /// The coordinator was restored from an older backup: what it had acknowledged is sent again,
    /// the same bytes under the same charge.
    async fn heal(
        &mut self,
        agent: &Agent,
        round: &RoundId,
        part: LostPart,
    ) -> Result<(), Failure> {
        let now = agent.clock.now();
        let is_news = match part {
            // A result that is still on its way is missing there too, and needs no healing.
            LostPart::Result => agent.vault.sent_lost(round, now).await?,
            LostPart::Round => agent.vault.job_find(round).await?.is_some(),
        };
        if is_news {
            tracing::warn!(%round, code = RESTORED, "the coordinator lost what this site gave it");
            agent.vault.job_delay(round, Some(RESTORED)).await?;
        }
        Ok(())
    }

    /// What the coordinator was not told yet. It counts as told once it was returned: whoever could
    /// not deliver it gives the whole conversation up.
    ///
    /// # Errors
    ///
    /// [`Failure`] if this machine failed.
    pub async fn tell(&mut self, agent: &Agent) -> Result<Vec<(RoundId, JobPhase)>, Failure> {
        let mut telling = Vec::new();
        for job in agent.vault.job_list().await? {
            let Some(phase) = phase_of(agent, &job) else { continue };
            if job.state == JobState::Released && !answer_time::has_come(agent, &job).await? {
                continue;
            }
            let round = job.round();
            let told = self.told.insert(round.clone(), phase);
            if told == Some(phase) {
                continue;
            }
            // A round that ran through approval between two looks still needs its lease.
            let needs_lease = !matches!(job.state, JobState::Offered | JobState::Sent);
            let told_approval = !matches!(told, None | Some(JobPhase::Queued));
            if !told_approval && needs_lease && phase != JobPhase::Approved {
                telling.push((round.clone(), JobPhase::Approved));
            }
            telling.push((round.clone(), phase));
        }
        Ok(telling)
    }
}

/// The round is over. An answer that comes too late stays charged, and its steward sees why it waits.
async fn cancel(agent: &Agent, round: &RoundId) -> Result<(), Failure> {
    if agent.vault.job_cancel(round, agent.clock.now()).await? {
        tracing::info!(%round, "job cancelled");
        return Ok(());
    }
    let job = agent.vault.job_find(round).await?;
    if job.is_some_and(|job| job.state == JobState::Released) {
        agent.vault.job_delay(round, Some(TOO_LATE)).await?;
    }
    Ok(())
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
        // Also what was acknowledged long ago: a restored coordinator may have lost it.
        JobState::Released | JobState::Sent => Some(JobPhase::Sent),
        JobState::Cancelled => None,
    }
}
