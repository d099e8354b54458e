//! `fedval-agent check`: everything this site needs, each with what to do about it.

use fedval_ambient::{Exit, Failure, SystemClock};
use fedval_egress::{Connection, Coordinator};
use fedval_ingest::{DECODE_ROLE, read_manifest};
use fedval_sandbox::{BoxLimits, BoxProgram, BoxedChild};
use fedval_study::protocol::{AttributeSource, ReferenceStandard, StudyProtocol};
use fedval_study::{LockedProtocol, StudyId};
use serde_json::json;

use super::output::{Output, table};
use crate::home::Home;
use crate::site_policy;

/// One thing that was looked at.
struct Checked {
    what: String,
    problem: Option<Failure>,
}

pub(super) async fn run(home: &Home, study: Option<&StudyId>, output: &Output) -> Result<(), Failure> {
    let mut checks = Vec::new();
    let mut note = |what: &str, outcome: Result<(), Failure>| {
        checks.push(Checked { what: what.to_owned(), problem: outcome.err() });
    };
    note("enrolment", home.identity().map(drop));
    note("configuration", home.config().map(drop));
    note("policy", home.identity().and_then(|id| site_policy::load(home, &id, &SystemClock)).map(drop));
    note("vault and journal", journal(home).await);
    note("sandbox", sandbox().await);
    note("coordinator", coordinator(home).await);
    if let Some(study) = study {
        note("data source", data_source(home, study).await);
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
async fn sandbox() -> Result<(), Failure> {
    let program = BoxProgram::current(DECODE_ROLE)
        .map_err(|error| crate::home::cannot("open", std::path::Path::new("/proc/self/exe"), &error))?;
    let limits = BoxLimits { memory_bytes: 1 << 30, cpu_seconds: 10, max_reply_bytes: 1 << 20 };
    Ok(BoxedChild::spawn(&program, &limits).await.map(drop)?)
}

async fn coordinator(home: &Home) -> Result<(), Failure> {
    let identity = home.identity()?;
    let coordinator = Coordinator::at(&home.config()?.coordinator.url)?;
    let opened =
        Connection::open(&coordinator, &identity.root, &identity.certificate, &identity.key).await;
    Ok(opened.map(drop)?)
}

/// Reads the manifest as the study would; without the study's protocol, any label is taken.
async fn data_source(home: &Home, study: &StudyId) -> Result<(), Failure> {
    let protocol = protocol_of(home, study).await?;
    let config = home.config()?;
    let source = config.data_sources.iter().find(|source| source.serves(study)).ok_or_else(|| {
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

async fn protocol_of(home: &Home, study: &StudyId) -> Result<StudyProtocol, Failure> {
    let jobs = home.vault().await?.job_list().await?;
    let job = jobs.iter().rev().find(|job| job.dispatch.study == *study);
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

fn say(checks: &[Checked], output: &Output) {
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
