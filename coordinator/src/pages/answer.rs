//! How a page is answered, and how a request that gets none is.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use fedval_ambient::Problem;

/// A request gets no page.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Nobody is logged in.
    LogIn,
    /// There is no such page for this visitor: whether it exists at all is not said.
    NotFound,
    /// Something that has a code.
    Problem(StatusCode, Told),
}

/// A problem in words that may be shown.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub(super) struct Told {
    title: &'static str,
    message: String,
    code: String,
    remedy: Option<String>,
}

impl Refusal {
    /// A problem that the visitor can do something about.
    pub(super) fn of(status: StatusCode, problem: &dyn Problem) -> Self {
        tracing::warn!(code = problem.code(), %status, "page refused");
        Self::Problem(
            status,
            Told {
                title: "This did not work",
                message: problem.to_string(),
                code: problem.code().to_owned(),
                remedy: problem.remedy(),
            },
        )
    }

    /// A failure of this machine.
    pub(super) fn failed(problem: &dyn Problem) -> Self {
        Self::of(StatusCode::SERVICE_UNAVAILABLE, problem)
    }
}

/// The answer to a path that is no page.
pub(super) async fn not_found() -> Refusal {
    Refusal::NotFound
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, told) = match self {
            Self::LogIn => return Redirect::to("/login").into_response(),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                Told {
                    title: "There is no such page",
                    message: "Either it does not exist, or it is not yours to read.".to_owned(),
                    code: "PAGE_NOT_FOUND".to_owned(),
                    remedy: None,
                },
            ),
            Self::Problem(status, told) => (status, told),
        };
        (status, render(&told)).into_response()
    }
}

/// A page.
pub(super) fn render(page: &impl Template) -> Html<String> {
    Html(page.render().expect("templates write to memory, which takes everything"))
}
