//! The transparency log, newest first.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use fedval_ambient::Timestamp;
use fedval_study::{Canonical, LogEntry, LogEvent};
use serde::Deserialize;

use super::Pages;
use super::answer::{Refusal, render};
use super::visitor::LoggedIn;

/// Entries on one page.
const ON_A_PAGE: u64 = 100;

#[derive(Debug, Template)]
#[template(path = "log.html")]
struct Log {
    person: String,
    entries: u64,
    root: String,
    cosigned: Vec<(String, u64)>,
    lines: Vec<Line>,
    /// Where the page of earlier ones begins.
    earlier: Option<u64>,
}

#[derive(Debug)]
struct Line {
    place: u64,
    at: String,
    what: String,
}

/// Which page.
#[derive(Deserialize)]
pub(super) struct From {
    /// Entries before this place; without it the latest.
    before: Option<u64>,
}

pub(super) async fn page(
    State(pages): State<Pages>,
    LoggedIn(person): LoggedIn,
    Query(from): Query<From>,
) -> Result<Response, Refusal> {
    // No leaf is asked for: where the log stands is told with every answer.
    let stands = pages.coordinator.log_extend(u64::MAX).await;
    let checkpoint = stands.map_err(|error| Refusal::failed(&error))?.checkpoint;
    let end = from.before.unwrap_or(checkpoint.entries).min(checkpoint.entries);
    let begin = end.saturating_sub(ON_A_PAGE);
    let store = pages.coordinator.store();
    let rows = store.log_list(begin).await.map_err(|error| Refusal::failed(&error))?;
    let mut lines: Vec<Line> =
        (begin..end).zip(&rows).map(|(place, row)| line(place, row)).collect();
    lines.reverse();
    let cosigned = store.cosignature_list().await.map_err(|error| Refusal::failed(&error))?;
    let page = Log {
        person: person.name.to_string(),
        entries: checkpoint.entries,
        root: checkpoint.root.to_string(),
        cosigned: cosigned
            .iter()
            .map(|row| (row.site.to_string(), row.checkpoint.entries))
            .collect(),
        lines,
        earlier: (begin > 0).then_some(begin),
    };
    Ok(render(&page).into_response())
}

fn line(place: u64, entry: &[u8]) -> Line {
    match Canonical::<LogEntry>::parse(entry) {
        Ok(entry) => {
            let LogEntry { at_ms, event } = entry.into_value();
            Line {
                place,
                at: Timestamp::from_unix_millis(at_ms).to_string(),
                what: sentence(&event),
            }
        }
        Err(_) => Line { place, at: String::new(), what: "an entry of a later release".to_owned() },
    }
}

fn sentence(event: &LogEvent) -> String {
    match event {
        LogEvent::ProtocolLocked { study, protocol, .. } => {
            format!("protocol of {study} locked ({})", protocol.0.short())
        }
        LogEvent::Dispatched { round, site, model, .. } => {
            format!("model {} sent to {site} in {round}", model.0.short())
        }
        LogEvent::ResultRecorded { round, site, result } => {
            format!("{site} answered in {round} ({})", result.0.short())
        }
        LogEvent::RoundClosed { round } => format!("{round} closed"),
        LogEvent::ReportBuilt { round, report } => {
            format!("report of {round} made ({})", report.short())
        }
        LogEvent::ReportSigned { round, report, signer, .. } => {
            format!("{signer} signed the report of {round} ({})", report.short())
        }
        LogEvent::SiteEnrolled { site, .. } => format!("{site} enrolled"),
        LogEvent::SiteRevoked { site } => format!("{site} revoked"),
        LogEvent::PersonAdmitted { name, role, .. } => format!("{name} admitted as {role}"),
        LogEvent::PersonDismissed { name } => format!("{name} dismissed"),
        _ => "an entry of a later release".to_owned(),
    }
}
