//! Which cases of a study have no result.

use std::collections::BTreeMap;

use fedval_ambient::{Exit, Failure};
use fedval_study::StudyId;
use fedval_vault::{CaseOutcome, Culprit, Job, Vault};

use crate::home::Home;

/// Failed cases that are named one by one, for each reason.
const CASES_SHOWN: usize = 20;

/// Which cases of the study's last job failed, by their place in the manifest: cells are not quoted.
pub(super) async fn check(home: &Home, study: &StudyId) -> Result<String, Failure> {
    let vault = home.vault().await?;
    let Some(job) = last_job(&vault, study).await? else {
        return Ok("none yet".to_owned());
    };
    let checkpoints = vault.checkpoint_list(job.round()).await?;
    let mut failed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (index, checkpoint) in checkpoints.open_on_site() {
        let reason = match checkpoint.outcome {
            CaseOutcome::Failed(reason) => format!("{reason:?}"),
            CaseOutcome::Forbidden => Culprit::File.code().to_owned(),
            _ => continue,
        };
        failed.entry(reason).or_default().push((index + 1).to_string());
    }
    if failed.is_empty() {
        return Ok("none failed".to_owned());
    }
    let reasons: Vec<String> = failed
        .iter()
        .map(|(reason, cases)| {
            let first = cases.iter().take(CASES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let more = cases.len().saturating_sub(CASES_SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{reason}: {first}{more}")
        })
        .collect();
    Err(Failure::new(
        Exit::AnswerIsNo,
        "CASES_FAILED",
        format!("cases of the manifest, counted from 1, have no result: {}", reasons.join("; ")),
        "open these images; correct or remove their lines before the study's next round",
    ))
}

/// The study's last job here, if it has any.
pub(super) async fn last_job(vault: &Vault, study: &StudyId) -> Result<Option<Job>, Failure> {
    Ok(vault.job_list().await?.into_iter().rev().find(|job| job.dispatch.study == *study))
}
