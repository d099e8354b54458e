//! Pages that people read in a browser: rendered here, whole without a script. They show what commands show
//! and change nothing but logins and passwords.
//!
//! A person sees every study; whoever has a link sees the study that it is to, and nothing else.

mod answer;
mod link;
mod live;
mod log;
mod login;
mod origin;
mod password;
mod patience;
mod report;
mod routes;
mod sites;
mod studies;
mod study;
mod visitor;

use std::sync::Arc;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use axum::{Router, extract::DefaultBodyLimit};
use fedval_core::Coordinator;

use crate::changes::Changes;
use report::Reports;
pub use routes::page_routes;

/// Longest form that is read.
const FORM_BYTES: usize = 16 * 1024;

/// What every page is made from. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pages {
    coordinator: Coordinator,
    changes: Changes,
    reports: Arc<Reports>,
}

/// Every page.
pub(crate) fn router(coordinator: &Coordinator, changes: &Changes) -> Router {
    let state = Pages {
        coordinator: coordinator.clone(),
        changes: changes.clone(),
        reports: Arc::default(),
    };
    routes::router()
        .fallback(answer::not_found)
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(from_fn(patience::lose))
        .layer(from_fn(origin::check))
        .layer(map_response(guarded))
        .with_state(state)
}

/// What browsers are told with every answer, unless the page has stricter words of its own.
async fn guarded(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 5] = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Without a referrer, browsers name no origin of forms either. Links that hold secrets say so themselves.
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
        (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
