//! Logging in and out.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use fedval_ambient::Problem as _;
use fedval_core::port::PersonRow;
use fedval_core::{CredentialError, Password};
use fedval_study::Name;
use serde::Deserialize;

use super::Pages;
use super::answer::{Refusal, render};
use super::visitor::Cookie;

#[derive(Debug, Default, Template)]
#[template(path = "login.html")]
struct LogIn {
    /// What was wrong with the last try.
    problem: Option<String>,
    name: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Typed {
    name: String,
    password: String,
}

pub(super) async fn page() -> Response {
    render(&LogIn::default()).into_response()
}

pub(super) async fn log_in(
    State(pages): State<Pages>,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    match check(&pages, &typed).await {
        Ok(person) => opened(&pages, &person.name).await,
        Err(CredentialError::Issued) => {
            Ok(Redirect::to(&format!("/password?name={}", typed.name.trim())).into_response())
        }
        Err(error @ CredentialError::Store(_)) => Err(Refusal::failed(&error)),
        Err(error) => {
            tracing::warn!(code = error.code(), "login refused");
            let again = LogIn { problem: Some(sentence(&error)), name: typed.name };
            Ok((StatusCode::UNAUTHORIZED, render(&again)).into_response())
        }
    }
}

/// Whoever types what is no name is told no more than whoever types a wrong one.
async fn check(pages: &Pages, typed: &Typed) -> Result<PersonRow, CredentialError> {
    let name: Name = typed.name.trim().parse().map_err(|_| CredentialError::Wrong)?;
    pages.coordinator.password_check(&name, &Password::typed(typed.password.clone())).await
}

/// What happened, as a sentence of its own.
pub(super) fn sentence(error: &CredentialError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

/// The first page after a login.
pub(super) async fn opened(pages: &Pages, name: &Name) -> Result<Response, Refusal> {
    let pass = pages.coordinator.pass_of_person(name).await;
    let pass = pass.map_err(|error| Refusal::failed(&error))?.ok_or(Refusal::LogIn)?;
    tracing::info!(%name, "logged in");
    Ok(([Cookie::Login.set(&pass)], Redirect::to("/")).into_response())
}

pub(super) async fn log_out(
    State(pages): State<Pages>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if let Some(secret) = Cookie::Login.of(&headers) {
        pages.coordinator.log_out(&secret).await.map_err(|error| Refusal::failed(&error))?;
    }
    Ok(([Cookie::Login.end()], Redirect::to("/login")).into_response())
}
