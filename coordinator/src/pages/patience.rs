//! A form is here within seconds, or it is not read: whoever sends one slowly keeps others out.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// A form of a few lines, and the hashing of a password behind others.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn lose(request: Request, next: Next) -> Response {
    if *request.method() != Method::POST {
        return next.run(request).await;
    }
    let answered = tokio::time::timeout(PATIENCE, next.run(request)).await;
    answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}
