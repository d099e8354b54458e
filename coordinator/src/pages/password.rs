//! A person replaces a password: one that an operator issued, or one of their own.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use fedval_ambient::Problem as _;
use fedval_core::{CredentialError, LONGEST_PASSWORD, Password, SHORTEST_PASSWORD};
use fedval_study::Name;
use serde::Deserialize;

use super::Pages;
use super::answer::{Refusal, render};
use super::login::{opened, sentence};

#[derive(Debug, Template)]
#[template(path = "password.html")]
struct Change {
    problem: Option<String>,
    name: String,
    shortest: usize,
    longest: usize,
}

impl Change {
    const fn of(name: String, problem: Option<String>) -> Self {
        Self { problem, name, shortest: SHORTEST_PASSWORD, longest: LONGEST_PASSWORD }
    }
}

/// Whose password, as the login page knew it.
#[derive(Deserialize)]
pub(super) struct Whose {
    #[serde(default)]
    name: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Typed {
    name: String,
    old: String,
    new: String,
    again: String,
}

pub(super) async fn page(Query(whose): Query<Whose>) -> Response {
    render(&Change::of(whose.name, None)).into_response()
}

pub(super) async fn change(
    State(pages): State<Pages>,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    if typed.new != typed.again {
        let differ = "The new password was not typed the same way twice.".to_owned();
        return Ok(again(typed.name, differ));
    }
    let name: Name = match typed.name.trim().parse() {
        Ok(name) => name,
        Err(_) => return Ok(again(typed.name, sentence(&CredentialError::Wrong))),
    };
    let (old, new) = (Password::typed(typed.old), Password::typed(typed.new));
    match pages.coordinator.password_change(&name, &old, new).await {
        Ok(()) => opened(&pages, &name).await,
        Err(error @ CredentialError::Store(_)) => Err(Refusal::failed(&error)),
        Err(error) => {
            tracing::warn!(code = error.code(), "password not changed");
            Ok(again(typed.name, sentence(&error)))
        }
    }
}

fn again(name: String, problem: String) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, render(&Change::of(name, Some(problem)))).into_response()
}
