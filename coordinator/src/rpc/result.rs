//! `fedval.v1.ResultService`: what sites hand in.

use fedval_core::Coordinator;
use fedval_proto as proto;
use fedval_proto::result_service_server::ResultService;
use fedval_study::LedgerMark;
use fedval_trust::Signature;
use tonic::{Request, Response, Status};

use super::caller;
use super::measure::Taken;
use super::problem::status_of;

/// Serves results.
#[derive(Debug)]
pub(super) struct ResultRpc {
    coordinator: Coordinator,
}

impl ResultRpc {
    pub(super) const fn new(coordinator: Coordinator) -> Self {
        Self { coordinator }
    }
}

#[tonic::async_trait]
impl ResultService for ResultRpc {
    #[tracing::instrument(name = "result.submit", skip_all, fields(site))]
    async fn submit_result(
        &self,
        request: Request<proto::SubmitResultRequest>,
    ) -> Result<Response<proto::SubmitResultResponse>, Status> {
        let site = caller::site(&self.coordinator, &request).await?;
        tracing::Span::current().record("site", site.as_str());
        let request = request.into_inner();
        let result = fedval_wire::site_result_from_wire(request.result.unwrap_or_default())
            .map_err(|error| status_of(&error))?;
        let signature =
            Signature::try_from(request.signature.as_slice()).map_err(Status::invalid_argument)?;
        let accepted = self
            .coordinator
            .result_submit(&site, result, signature, request.lease_epoch)
            .await
            .map_err(|error| status_of(&error))?;
        let signature = Signature::try_from(request.ledger_signature.as_slice());
        let head = fedval_wire::digest("ledger_head", &request.ledger_head);
        if let (Ok(signature), Ok(head)) = (signature, head) {
            let mark = LedgerMark { site, entries: request.ledger_entries, head };
            let kept = self.coordinator.ledger_mark_keep(mark, signature);
            kept.await.map_err(|error| status_of(&error))?;
        }
        tracing::info!(duplicate = accepted.duplicate, "result recorded");
        let mut response = Response::new(proto::SubmitResultResponse {
            result_digest: accepted.digest.0.as_bytes().to_vec(),
            duplicate: accepted.duplicate,
            recorded_at_ms: accepted.recorded_at.unix_millis(),
        });
        response.extensions_mut().insert(Taken { duplicate: accepted.duplicate });
        Ok(response)
    }
}
