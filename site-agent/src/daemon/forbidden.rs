//! What the journal keeps of boxes that the kernel ended for a call that nothing honest makes there.

use fedval_ambient::Failure;
use fedval_vault::{Culprit, Job};

use super::Agent;

/// Notes that what is in question did so in this job.
pub(super) async fn note(agent: &Agent, job: &Job, by: Culprit) -> Result<(), Failure> {
    let now = agent.clock.now();
    if agent.vault.forbidden_record(job.round(), by, now).await? {
        say(job, by);
    }
    Ok(())
}

/// The same of files: the cases of this job say so of their own, whichever process looked at them.
pub(super) async fn note_files(agent: &Agent, job: &Job) -> Result<(), Failure> {
    let now = agent.clock.now();
    if agent.vault.forbidden_files_record(job.round(), now).await? {
        say(job, Culprit::File);
    }
    Ok(())
}

/// One line for a job: whoever counts them does not learn how many cases there were.
fn say(job: &Job, by: Culprit) {
    tracing::error!(round = %job.round(), code = by.code(), "a box was ended for a forbidden call");
}
