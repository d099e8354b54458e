//! Files of the report of a study's latest round, once it is closed.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
};
use axum::response::{IntoResponse as _, Response};
use fedval_ambient::Timestamp;
use fedval_study::{RoundId, StudyId};
use tokio::sync::Mutex;

use super::Pages;
use super::answer::Refusal;
use super::study::progress;
use super::visitor::Reading;
use crate::package::Shared;

/// How long a built report is shown: signatures and the log's go on after it.
const KEPT_SECONDS: i64 = 30;
/// The report's page has its style in it, and nothing else of its own.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
     frame-ancestors 'none'; sandbox allow-downloads";

/// The report that was read last: a page asks for several of its files. Only one is built at a time.
#[derive(Debug, Default)]
pub(super) struct Reports(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    round: RoundId,
    built_at: Timestamp,
    files: Arc<Shared>,
}

impl Reports {
    async fn files(
        &self,
        pages: &Pages,
        study: &StudyId,
        round: &RoundId,
    ) -> Result<Arc<Shared>, Refusal> {
        let now = pages.coordinator.clock().now();
        let mut kept = self.0.lock().await;
        if let Some(kept) = kept.as_ref()
            && kept.round == *round
            && now < kept.built_at.plus_seconds(KEPT_SECONDS)
        {
            return Ok(Arc::clone(&kept.files));
        }
        let package = pages.coordinator.report_build(study).await;
        let package = package.map_err(|error| Refusal::failed(&error))?;
        let files = Arc::new(Shared::from(package));
        // Counted from its end: a large one takes long to make.
        let built_at = pages.coordinator.clock().now();
        *kept = Some(Kept { round: round.clone(), built_at, files: Arc::clone(&files) });
        Ok(files)
    }
}

pub(super) async fn file(
    State(pages): State<Pages>,
    reading: Reading,
    Path((_, path)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let progress = progress(&pages, &reading).await?;
    let closed = progress.rounds.last().filter(|(round, _)| round.closed_at.is_some());
    let (round, _) = closed.ok_or(Refusal::NotFound)?;
    let files = pages.reports.files(&pages, &reading.study, &round.round).await?;
    let pieces = files.pieces(&path);
    if pieces.is_empty() {
        return Err(Refusal::NotFound);
    }
    let length = pieces.iter().map(Bytes::len).sum::<usize>();
    let (kind, is_shown) = kind(&path);
    let name = path.rsplit('/').next().unwrap_or_default();
    let how = if is_shown { "inline" } else { "attachment" };
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_LENGTH, length.to_string()),
        (CONTENT_SECURITY_POLICY, REPORT_POLICY.to_owned()),
        (CONTENT_DISPOSITION, format!("{how}; filename=\"{}-{name}\"", round.round)),
    ];
    let body = tokio_stream::iter(pieces.into_iter().map(Ok::<_, Infallible>));
    Ok((headers, Body::from_stream(body)).into_response())
}

/// What a file is, and whether browsers show it.
fn kind(path: &str) -> (&'static str, bool) {
    match path.rsplit('.').next() {
        Some("html") => ("text/html; charset=utf-8", true),
        // What browsers show these with does not work in a sandbox.
        Some("pdf") => ("application/pdf", false),
        Some("svg") => ("image/svg+xml", false),
        Some("csv") => ("text/csv; charset=utf-8", false),
        Some("json" | "jsonl") => ("application/json", false),
        Some("zip") => ("application/zip", false),
        _ => ("text/plain; charset=utf-8", false),
    }
}
