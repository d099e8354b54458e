//! `fedval-agent check`: everything this site needs, each with what to do about it.

use std::collections::BTreeMap;

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Exit, Failure};
use fedval_egress::{Connection, Coordinator};
use fedval_ingest::{BoxProgram, DECODE_ROLE, Decoder, read_manifest};
use fedval_study::protocol::{AttributeSource, ReferenceStandard, StudyProtocol};
use fedval_study::summary::FailureReason;
use fedval_study::{LockedProtocol, StudyId};
use fedval_vault::{CaseOutcome, Job, Vault};
use serde_json::json;

use crate::home::Home;
use crate::site_policy;

/// Failed cases that are named one by one, for each reason.
const CASES_SHOWN: usize = 20;

/// One thing that was looked at.
struct Checked {
    what: String,
    problem: Option<Failure>,
}

pub(super) async fn run(
    home: &Home,
    study: Option<&StudyId>,
    output: Output,
) -> Result<(), Failure> {
    let mut checks = Vec::new();
    let mut note = |what: &str, outcome: Result<(), Failure>| {
        checks.push(Checked { what: what.to_owned(), problem: outcome.err() });
    };
    note("enrolment", home.identity().map(drop));
    note("configuration", home.config().map(drop));
    note("policy", home.identity().and_then(|id| site_policy::load(home, &id)).map(drop));
    note("vault and journal", journal(home).await);
    note("sandbox", sandbox(home).await);
    note("coordinator", coordinator(home).await);
    if let Some(study) = study {
        note("data source", data_source(home, study).await);
        note("cases", cases(home, study).await);
    }
    say(&checks, output);
    match checks.into_iter().find_map(|check| check.problem) {
        None => Ok(()),
        Some(_) => Err(Failure::new(
            Exit::AnswerIsNo,
            "CHECK_FAILED",
            "something this site needs is missing",
            "follow the hints above from top to bottom, then run `fedval-agent check` again",
        )),
    }
}

async fn journal(home: &Home) -> Result<(), Failure> {
    home.identity()?;
    Ok(home.vault().await?.journal_verify().await.map(drop)?)
}

/// Starts a box: it answers only once it is confined.
async fn sandbox(home: &Home) -> Result<(), Failure> {
    let program = BoxProgram::current(DECODE_ROLE)
        .map_err(|error| Failure::disk("open", std::path::Path::new("/proc/self/exe"), &error))?;
    let limits = home.config()?.limits.decode();
    Ok(Decoder::new(program, limits).start().await?)
}

async fn coordinator(home: &Home) -> Result<(), Failure> {
    let identity = home.identity()?;
    let coordinator = Coordinator::at(&home.config()?.coordinator.url)?;
    let connection =
        Connection::open(&coordinator, &identity.root, &identity.certificate, &identity.key)
            .await?;
    // TLS alone would also let a revoked site in: a call asks the registry.
    connection.check().await?;
    Ok(())
}

/// Reads the manifest as the study would; without the study's protocol, any label is taken.
async fn data_source(home: &Home, study: &StudyId) -> Result<(), Failure> {
    let protocol = protocol_of(home, study).await?;
    let config = home.config()?;
    let source =
        config.data_sources.iter().find(|source| source.serves(study)).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                "DATA_SOURCE_MISSING",
                format!("no data source serves the study `{study}`"),
                "add a [[data_sources]] table to agent.toml",
            )
        })?;
    let standard: &ReferenceStandard = &protocol.reference_standard;
    let columns: Vec<String> = protocol
        .subgroups
        .iter()
        .filter_map(|dimension| match &dimension.source {
            AttributeSource::Column(column) => Some(column.clone()),
            AttributeSource::Dicom(_) => None,
        })
        .collect();
    let cohort = read_manifest(&source.manifest_source(), standard, &columns).map_err(|error| {
        let mut failure = Failure::from(error);
        failure.message = format!("source `{}`: {}", source.name, failure.message);
        failure
    })?;
    let unrecorded = &cohort.open_on_site().unrecorded;
    if unrecorded.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::AnswerIsNo,
        "ATTRIBUTE_UNRECORDED",
        format!("source `{}` has no column `{}`", source.name, unrecorded.join("`, `")),
        "map it under [data_sources.columns] attributes, or go on: subgroups by it are withheld here",
    ))
}

/// Which cases of the study's last job failed, by their place in the manifest: cells are not quoted.
async fn cases(home: &Home, study: &StudyId) -> Result<(), Failure> {
    let vault = home.vault().await?;
    let Some(job) = last_job(&vault, study).await? else { return Ok(()) };
    let checkpoints = vault.checkpoint_list(job.round()).await?;
    let mut failed: BTreeMap<FailureReason, Vec<String>> = BTreeMap::new();
    for (index, checkpoint) in checkpoints.open_on_site() {
        if let CaseOutcome::Failed(reason) = checkpoint.outcome {
            failed.entry(reason).or_default().push((index + 1).to_string());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = failed
        .iter()
        .map(|(reason, cases)| {
            let first = cases.iter().take(CASES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let more = cases.len().saturating_sub(CASES_SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{reason:?}: {first}{more}")
        })
        .collect();
    Err(Failure::new(
        Exit::AnswerIsNo,
        "CASES_FAILED",
        format!("cases of the manifest, counted from 1, have no result: {}", reasons.join("; ")),
        "open these images; correct or remove their lines before the study's next round",
    ))
}

async fn last_job(vault: &Vault, study: &StudyId) -> Result<Option<Job>, Failure> {
    Ok(vault.job_list().await?.into_iter().rev().find(|job| job.dispatch.study == *study))
}

async fn protocol_of(home: &Home, study: &StudyId) -> Result<StudyProtocol, Failure> {
    let job = last_job(&home.vault().await?, study).await?;
    let locked = job.and_then(|job| LockedProtocol::parse(&job.protocol).ok());
    locked.map(|locked| locked.protocol().clone()).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "STUDY_NOT_FOUND",
            format!("the study `{study}` was not dispatched to this site"),
            "run `fedval-agent jobs` to see what was",
        )
    })
}

fn say(checks: &[Checked], output: Output) {
    let rows: Vec<_> = checks
        .iter()
        .map(|check| {
            let problem = check.problem.as_ref();
            json!({ "check": check.what, "holds": problem.is_none(),
                    "code": problem.map(|p| &p.code), "problem": problem.map(|p| &p.message),
                    "remedy": problem.and_then(|p| p.remedy.as_ref()) })
        })
        .collect();
    let text = table(
        &["check", "", "problem", "what to do"],
        checks.iter().map(|check| {
            let problem = check.problem.as_ref();
            vec![
                check.what.clone(),
                if problem.is_none() { "ok" } else { "NO" }.to_owned(),
                problem.map(|p| p.message.clone()).unwrap_or_default(),
                problem.and_then(|p| p.remedy.clone()).unwrap_or_default(),
            ]
        }),
    );
    output.say(&json!({ "checks": rows }), &text);
}
