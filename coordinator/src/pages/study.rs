//! One study: what was planned, how far it is, what came of it.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use fedval_ambient::Timestamp;
use fedval_core::port::{LockedVersion, RoundRow, SignatureRow};
use fedval_core::{Progress, StatusError, StudyProgress};
use fedval_study::protocol::{Endpoint, EndpointBasis, EndpointDirection};
use fedval_study::{LockedProtocol, StudyProtocol};

use super::Pages;
use super::answer::{Refusal, render};
use super::visitor::Reading;
use crate::rpc::{site_progress, study_state};
use crate::words::{outcome_word, phase_word, state_word};

#[derive(Debug, Template)]
#[template(path = "study.html")]
struct Study {
    /// Absent where a link opened the page.
    person: Option<String>,
    plan: StudyProtocol,
    protocol_digest: String,
    /// Number and reason of each version that amended another.
    amendments: Vec<(u32, String)>,
    endpoints: Vec<String>,
    progress: RoundProgress,
    /// Whether there is a report to read.
    is_reported: bool,
    signatures: Vec<Signature>,
}

/// The part of the page that changes while a round runs.
#[derive(Debug, Template)]
#[template(path = "progress.html")]
pub(super) struct RoundProgress {
    /// Draft, locked, open or closed.
    pub(super) state: &'static str,
    round: Option<Round>,
}

#[derive(Debug)]
struct Round {
    id: String,
    opened: String,
    closed: Option<String>,
    deadline: Option<String>,
    answered: usize,
    sites: Vec<Site>,
}

#[derive(Debug)]
struct Site {
    id: String,
    phase: &'static str,
    outcome: &'static str,
}

#[derive(Debug)]
struct Signature {
    printed_name: String,
    signer: String,
    meaning: &'static str,
    signed_at: String,
    /// The beginning of the digest of what was signed.
    report: String,
}

impl RoundProgress {
    pub(super) fn of(progress: &StudyProgress) -> Self {
        let round = progress.rounds.last().map(|(round, sites)| Round {
            id: round.round.to_string(),
            opened: round.opened_at.to_string(),
            closed: round.closed_at.map(|moment| moment.to_string()),
            deadline: round.deadline_at.map(|moment| moment.to_string()),
            answered: sites.iter().filter(|site| site.result.is_some()).count(),
            sites: sites.iter().map(site).collect(),
        });
        Self { state: state_of(progress), round }
    }
}

/// Where a study stands, in a word.
pub(super) fn state_of(progress: &StudyProgress) -> &'static str {
    let rounds: Vec<RoundRow> = progress.rounds.iter().map(|(round, _)| round.clone()).collect();
    state_word(study_state(&progress.row, &rounds))
}

fn site(progress: &Progress) -> Site {
    let told = site_progress(progress);
    Site {
        id: told.site.clone(),
        phase: phase_word(told.phase()),
        outcome: outcome_word(told.outcome()),
    }
}

/// What the visitor may know of the study that the path names.
pub(super) async fn progress(pages: &Pages, reading: &Reading) -> Result<StudyProgress, Refusal> {
    pages.coordinator.study_progress(&reading.study).await.map_err(|error| match error {
        StatusError::NotFound { .. } => Refusal::NotFound,
        error => Refusal::failed(&error),
    })
}

pub(super) async fn page(
    State(pages): State<Pages>,
    reading: Reading,
) -> Result<Response, Refusal> {
    let progress = progress(&pages, &reading).await?;
    let plan = progress.protocol.protocol().clone();
    let round = progress.rounds.last().map(|(round, _)| round);
    let mut signatures = Vec::new();
    if let Some(round) = round {
        let rows = pages.coordinator.store().signature_list(&round.round).await;
        let rows = rows.map_err(|error| Refusal::failed(&error))?;
        signatures = rows.iter().map(signature).collect();
    }
    let page = Study {
        person: reading.person.map(|person| person.name.to_string()),
        protocol_digest: progress.protocol.digest().to_string(),
        amendments: progress.row.locked.iter().filter_map(amendment).collect(),
        endpoints: plan.endpoints.iter().map(endpoint).collect(),
        is_reported: round.is_some_and(|round| round.closed_at.is_some()),
        progress: RoundProgress::of(&progress),
        plan,
        signatures,
    };
    Ok(render(&page).into_response())
}

fn amendment(version: &LockedVersion) -> Option<(u32, String)> {
    let locked = LockedProtocol::parse(&version.protocol).ok()?;
    Some((version.version, locked.protocol().amends.as_ref()?.reason.clone()))
}

fn endpoint(endpoint: &Endpoint) -> String {
    let Endpoint { name, metric, limit, .. } = endpoint;
    let direction = match endpoint.direction {
        EndpointDirection::AtLeast => "at least",
        EndpointDirection::AtMost => "at most",
    };
    let basis = match endpoint.basis {
        EndpointBasis::PooledMean => "on average over sites",
        EndpointBasis::NewSite => "at a site that was never seen",
    };
    format!("{name}: {metric} {direction} {limit} {basis}")
}

fn signature(row: &SignatureRow) -> Signature {
    let statement = &row.statement;
    Signature {
        printed_name: statement.printed_name.to_string(),
        signer: format!("{} {}", statement.role, statement.signer),
        meaning: statement.meaning.as_str(),
        signed_at: Timestamp::from_unix_millis(statement.signed_at_ms).to_string(),
        report: statement.report.short(),
    }
}
