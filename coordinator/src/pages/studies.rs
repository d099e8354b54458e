//! Every study, with how far it is.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::Pages;
use super::answer::{Refusal, render};
use super::study::state_of;
use super::visitor::LoggedIn;

#[derive(Debug, Template)]
#[template(path = "studies.html")]
struct Studies {
    person: String,
    studies: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    title: String,
    state: &'static str,
    answered: String,
}

pub(super) async fn page(
    State(pages): State<Pages>,
    LoggedIn(person): LoggedIn,
) -> Result<Response, Refusal> {
    let store = pages.coordinator.store();
    let rows = store.study_list().await.map_err(|error| Refusal::failed(&error))?;
    let mut studies = Vec::new();
    for row in rows {
        let progress = pages.coordinator.study_progress(&row.study).await;
        let progress = progress.map_err(|error| Refusal::failed(&error))?;
        let answered = match progress.rounds.last() {
            Some((_, sites)) => {
                let answered = sites.iter().filter(|site| site.result.is_some()).count();
                format!("{answered} of {}", sites.len())
            }
            None if row.in_force().is_none() => "–".to_owned(),
            None => "not dispatched".to_owned(),
        };
        let title = progress.protocol.protocol().title.clone();
        let state = state_of(&progress);
        studies.push(Entry { id: row.study.to_string(), title, state, answered });
    }
    Ok(render(&Studies { person: person.name.to_string(), studies }).into_response())
}
