//! A link to one study: its secret moves from the address into a cookie, so that it stands in no history of
//! the pages behind it.

use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::REFERRER_POLICY;
use axum::response::{IntoResponse as _, Redirect, Response};
use fedval_core::{PassSecret, Visitor};

use super::Pages;
use super::answer::Refusal;
use super::visitor::Cookie;

pub(super) async fn open(
    State(pages): State<Pages>,
    Path(secret): Path<String>,
) -> Result<Response, Refusal> {
    let secret = PassSecret::sent(secret);
    match pages.coordinator.visitor(&secret).await.map_err(|error| Refusal::failed(&error))? {
        Some(Visitor::Reader(study)) => {
            let to = Redirect::to(&format!("/studies/{study}"));
            let unsaid = (REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            Ok(([Cookie::Link.set(&secret), unsaid], to).into_response())
        }
        // A login is no link: it would let one person log in another.
        Some(Visitor::Person(_)) | None => Err(Refusal::NotFound),
    }
}
