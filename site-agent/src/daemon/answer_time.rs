//! When an answer may be heard of: the time that one without aggregates took says nothing about why.

use fedval_ambient::Timestamp;
use fedval_disclosure::rules::dc21_timing;
use fedval_vault::{Job, VaultError};

use super::Agent;

/// Whether a committed answer may leave, or be told of. One with aggregates leaves at once.
pub(super) async fn has_come(agent: &Agent, job: &Job) -> Result<bool, VaultError> {
    let entry = agent.vault.ledger_find(job.round()).await?;
    if entry.is_some_and(|entry| entry.outcome == "released") {
        return Ok(true);
    }
    let ms = |at: Timestamp| at.unix_millis();
    let offered = ms(job.offered_at);
    let step = agent.config.answer_step_seconds;
    let due = dc21_timing::due_ms(ms(job.changed_at) - offered, step);
    Ok(ms(agent.clock.now()) - offered >= due)
}
