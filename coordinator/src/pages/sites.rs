//! Every site, with what the registry says of it.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use fedval_core::port::{SiteRow, SiteState};
use fedval_trust::Certificate;

use super::Pages;
use super::answer::{Refusal, render};
use super::visitor::LoggedIn;

#[derive(Debug, Template)]
#[template(path = "sites.html")]
struct Sites {
    person: String,
    sites: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    state: &'static str,
    fingerprint: String,
    expires: String,
}

pub(super) async fn page(
    State(pages): State<Pages>,
    LoggedIn(person): LoggedIn,
) -> Result<Response, Refusal> {
    let rows = pages.coordinator.store().site_list().await;
    let rows = rows.map_err(|error| Refusal::failed(&error))?;
    let sites = rows.iter().map(entry).collect();
    Ok(render(&Sites { person: person.name.to_string(), sites }).into_response())
}

fn entry(row: &SiteRow) -> Entry {
    let certificate = row.certificate.as_deref().and_then(|pem| Certificate::from_pem(pem).ok());
    Entry {
        id: row.site.to_string(),
        state: match row.state {
            SiteState::Invited => "invited",
            SiteState::Enrolled => "enrolled",
            SiteState::Revoked => "revoked",
        },
        fingerprint: certificate
            .as_ref()
            .map(|certificate| certificate.fingerprint().0.short())
            .unwrap_or_default(),
        expires: certificate
            .map(|certificate| certificate.not_after().to_string())
            .unwrap_or_default(),
    }
}
