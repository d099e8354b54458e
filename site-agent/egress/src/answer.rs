//! Waiting for an answer, but not for ever.

use std::time::Duration;

use tonic::Status;

use crate::EgressError;

/// Longest wait for an answer, and for each part of a download.
const ANSWER_SECONDS: u64 = 60;

/// An answer, or the end of the wait for it: a connection can live while nobody serves it.
pub(crate) async fn within<T>(
    answer: impl Future<Output = Result<T, Status>>,
) -> Result<T, EgressError> {
    match tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS), answer).await {
        Ok(answer) => answer.map_err(|status| EgressError::refused(&status)),
        Err(_) => Err(EgressError::Silent),
    }
}
