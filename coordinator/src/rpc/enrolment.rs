//! `fedval.v1.EnrolmentService`: the only one that asks for no certificate.

use fedval_core::Coordinator;
use fedval_proto as proto;
use fedval_proto::enrolment_service_server::EnrolmentService;
use tonic::{Request, Response, Status};

use super::problem::status_of;

/// Serves enrolment.
#[derive(Debug)]
pub(super) struct EnrolmentRpc {
    coordinator: Coordinator,
}

impl EnrolmentRpc {
    pub(super) const fn new(coordinator: Coordinator) -> Self {
        Self { coordinator }
    }
}

#[tonic::async_trait]
impl EnrolmentService for EnrolmentRpc {
    #[tracing::instrument(name = "enrolment.enrol", skip_all)]
    async fn enrol(
        &self,
        request: Request<proto::EnrolRequest>,
    ) -> Result<Response<proto::EnrolResponse>, Status> {
        let request = request.into_inner();
        let enrolled = self
            .coordinator
            .site_enrol(&request.token, &request.certificate_signing_request)
            .await
            .map_err(|error| status_of(&error))?;
        Ok(Response::new(proto::EnrolResponse {
            site: enrolled.site.to_string(),
            certificate: enrolled.certificate.der().to_vec(),
            root: self.coordinator.root().der().to_vec(),
        }))
    }
}
