//! `fedval-agent check`: everything this site needs, each with what to do about it.

mod cases;
mod certificate;
mod clock;
mod data_source;
mod disk;
mod dry_run;
mod engine;
mod network;
mod preprocessing;

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Clock as _, Exit, Failure, SystemClock};
use fedval_ingest::{BoxProgram, DECODE_ROLE, Decoder};
use fedval_study::StudyId;
use serde_json::json;

use crate::home::Home;
use crate::site_policy;
use dry_run::Sheet;

/// One thing that was looked at.
struct Checked {
    what: String,
    outcome: Outcome,
}

/// What was found.
enum Outcome {
    /// All is well, and what there is to say about it.
    Holds(String),
    /// Something is to be done.
    Fails(Failure),
    /// It could not be looked at before something else is mended.
    Untested(String),
}

impl Checked {
    fn new(what: impl Into<String>, found: Result<String, Failure>) -> Self {
        let outcome = match found {
            Ok(note) => Outcome::Holds(note),
            Err(failure) => Outcome::Fails(failure),
        };
        Self { what: what.into(), outcome }
    }

    fn untested(what: impl Into<String>, why: &str) -> Self {
        Self { what: what.into(), outcome: Outcome::Untested(why.to_owned()) }
    }

    const fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            Outcome::Fails(failure) => Some(failure),
            _ => None,
        }
    }
}

pub(super) async fn run(
    home: &Home,
    study: Option<&StudyId>,
    output: Output,
) -> Result<(), Failure> {
    output.progress("looking at this machine");
    let mut checks = machine(home).await;
    output.progress("trying the way to the coordinator");
    let network = network::check(home).await;
    checks.extend(network.checks);
    output.progress("opening the data sources");
    checks.extend(data_source::every(home).await);
    let mut sheet = None;
    if let Some(study) = study {
        sheet = of_study(home, study, &mut checks, output).await;
        checks.push(Checked::new("cases", cases::check(home, study).await));
    }
    say(&checks, network.request.as_deref(), sheet.as_ref(), output);
    if checks.iter().all(|check| check.failure().is_none()) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::AnswerIsNo,
        "CHECK_FAILED",
        "something this site needs is missing",
        "follow the hints above from top to bottom, then run `fedval-agent check` again",
    ))
}

/// Whether the study finds what it needs, and what its model would see.
async fn of_study(
    home: &Home,
    study: &StudyId,
    checks: &mut Vec<Checked>,
    output: Output,
) -> Option<Sheet> {
    let (source, seen) = ("data source", "what the model would see");
    let (protocol, from) = match data_source::for_study(home, study).await {
        Ok(found) => found,
        Err(failure) => {
            checks.push(Checked::new(source, Err(failure)));
            checks.push(Checked::untested(seen, "there is nothing to look at"));
            return None;
        }
    };
    if let Some(room) = disk::check_series(home, &protocol, &from) {
        checks.push(Checked::new("disk for series", room));
    }
    output.progress("reading the manifest");
    let read = data_source::read(&protocol, &from).await;
    let found = read.as_ref().map_err(Clone::clone);
    checks.push(Checked::new(source, found.and_then(|cohort| data_source::found(cohort, &from))));
    output.progress("preparing the probe images");
    checks.push(preprocessing::check(home, &protocol, &from).await);
    let Ok(cohort) = read else {
        // What is wrong with the manifest is said once.
        checks.push(Checked::untested(seen, "the data source is to be mended first"));
        return None;
    };
    if let Some(hours) = data_source::closed(&from) {
        checks.push(Checked::untested(seen, &hours));
        return None;
    }
    output.progress("looking at a few cases");
    match dry_run::run(home, study, &protocol, &from, &cohort).await {
        Ok(sheet) => {
            checks.push(Checked::new(seen, sheet.found()));
            Some(sheet)
        }
        Err(failure) => {
            checks.push(Checked::new(seen, Err(failure)));
            None
        }
    }
}

/// What stands on this machine.
async fn machine(home: &Home) -> Vec<Checked> {
    let identity = home.identity();
    let site = identity.as_ref().map(|identity| format!("site {}", identity.site));
    let dialer = home.config().and_then(|config| config.coordinator.dialer());
    let policy = identity.clone().and_then(|id| site_policy::load(home, &id));
    let life = identity.clone().and_then(|id| certificate::check(&id, SystemClock.now()));
    vec![
        Checked::new("enrolment", site.map_err(Clone::clone)),
        Checked::new("configuration", dialer.map(|_| "agent.toml can be read".to_owned())),
        Checked::new("certificate", life),
        Checked::new("policy", policy.map(|_| "signed as it stands".to_owned())),
        Checked::new("disk", disk::check(home)),
        Checked::new("vault and journal", journal(home).await),
        Checked::new("sandbox", sandbox(home).await),
        Checked::new("engine", engine::check(home).await),
    ]
}

async fn journal(home: &Home) -> Result<String, Failure> {
    home.identity()?;
    let verified = home.vault().await?.journal_verify().await;
    Ok(verified.map(|_| "the record of what left is whole".to_owned())?)
}

/// Starts a box: it answers only once it is confined.
async fn sandbox(home: &Home) -> Result<String, Failure> {
    let program = BoxProgram::current(DECODE_ROLE)
        .map_err(|error| Failure::disk("open", std::path::Path::new("/proc/self/exe"), &error))?;
    let limits = home.config()?.limits.decode();
    Decoder::new(program, limits).start().await?;
    Ok("a box starts and is confined".to_owned())
}

fn say(checks: &[Checked], request: Option<&str>, sheet: Option<&Sheet>, output: Output) {
    let rows: Vec<_> = checks
        .iter()
        .map(|check| {
            let (problem, note, holds) = match &check.outcome {
                Outcome::Holds(note) => (None, Some(note), Some(true)),
                Outcome::Fails(failure) => (Some(failure), None, Some(false)),
                Outcome::Untested(why) => (None, Some(why), None),
            };
            json!({ "check": check.what, "holds": holds, "note": note,
                    "code": problem.map(|p| &p.code), "problem": problem.map(|p| &p.message),
                    "remedy": problem.and_then(|p| p.remedy.as_ref()) })
        })
        .collect();
    let mut text = table(
        &["check", "", "found", "what to do"],
        checks.iter().map(|check| {
            let (mark, found, remedy) = match &check.outcome {
                Outcome::Holds(note) => ("ok", note, None),
                Outcome::Fails(failure) => ("NO", &failure.message, failure.remedy.clone()),
                Outcome::Untested(why) => ("-", why, None),
            };
            vec![check.what.clone(), mark.to_owned(), found.clone(), remedy.unwrap_or_default()]
        }),
    );
    if let Some(request) = request {
        text.push_str("\n\nFor your network team:\n\n");
        text.push_str(request);
    }
    let sheet = sheet.map(Sheet::json);
    let said = json!({ "checks": rows, "request_to_network_team": request, "dry_run": sheet });
    output.say(&said, &text);
}
