//! `fedval.v1.LogService`: sites follow the log, and sign where it stood.

use fedval_core::Coordinator;
use fedval_proto as proto;
use fedval_proto::log_service_server::LogService;
use fedval_study::LogCheckpoint;
use fedval_trust::Signature;
use tonic::{Request, Response, Status};

use super::caller;
use super::problem::status_of;

/// Serves the log.
#[derive(Debug)]
pub(super) struct LogRpc {
    coordinator: Coordinator,
}

impl LogRpc {
    pub(super) const fn new(coordinator: Coordinator) -> Self {
        Self { coordinator }
    }
}

#[tonic::async_trait]
impl LogService for LogRpc {
    #[tracing::instrument(name = "log.extend", skip_all)]
    async fn extend(
        &self,
        request: Request<proto::ExtendRequest>,
    ) -> Result<Response<proto::ExtendResponse>, Status> {
        caller::site(&self.coordinator, &request).await?;
        let from = request.into_inner().from;
        let extension = self.coordinator.log_extend(from).await.map_err(|e| status_of(&e))?;
        let endorsement = fedval_wire::endorsement_to_wire(&extension.endorsement);
        let endorsement = endorsement.map_err(|error| status_of(&error))?;
        Ok(Response::new(proto::ExtendResponse {
            entries: extension.checkpoint.entries,
            root: extension.checkpoint.root.as_bytes().to_vec(),
            endorsement: Some(endorsement),
            leaves: extension.leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect(),
        }))
    }

    #[tracing::instrument(name = "log.cosign", skip_all)]
    async fn cosign(
        &self,
        request: Request<proto::CosignRequest>,
    ) -> Result<Response<proto::CosignResponse>, Status> {
        let site = caller::site(&self.coordinator, &request).await?;
        let request = request.into_inner();
        let signature =
            Signature::try_from(request.signature.as_slice()).map_err(Status::invalid_argument)?;
        let checkpoint = LogCheckpoint {
            log: self.coordinator.root().fingerprint().0,
            entries: request.entries,
            root: fedval_wire::digest("root", &request.root).map_err(|e| status_of(&e))?,
        };
        let kept = self.coordinator.log_cosign(&site, checkpoint, signature).await;
        kept.map_err(|error| status_of(&error))?;
        Ok(Response::new(proto::CosignResponse {}))
    }
}
