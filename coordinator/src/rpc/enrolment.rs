//! `fedval.v1.EnrolmentService`: the only one that asks for no certificate.

use fedval_core::port::InvitationId;
use fedval_core::{Coordinator, EnrolError};
use fedval_proto as proto;
use fedval_proto::enrolment_service_server::EnrolmentService;
use tonic::{Request, Response, Status};

use super::problem::status_of;
use super::tries::WrongTries;

/// Serves enrolment.
#[derive(Debug)]
pub(super) struct EnrolmentRpc {
    coordinator: Coordinator,
    wrong_tries: WrongTries,
}

impl EnrolmentRpc {
    pub(super) fn new(coordinator: Coordinator) -> Self {
        Self { coordinator, wrong_tries: WrongTries::default() }
    }
}

#[tonic::async_trait]
impl EnrolmentService for EnrolmentRpc {
    #[tracing::instrument(name = "enrolment.enrol", skip_all)]
    async fn enrol(
        &self,
        request: Request<proto::EnrolRequest>,
    ) -> Result<Response<proto::EnrolResponse>, Status> {
        let address = request.remote_addr().map(|address| address.ip());
        let request = request.into_inner();
        let now = self.coordinator.clock().monotonic();
        if let Some(address) = address {
            self.wrong_tries.check(address, now).map_err(|error| status_of(&error))?;
        }
        let name = <[u8; 8]>::try_from(request.invitation.as_slice());
        let enrolled = match name {
            Ok(name) => {
                let (id, csr) =
                    (InvitationId::from_bytes(name), &request.certificate_signing_request);
                self.coordinator.site_enrol(&id, &request.token, csr).await
            }
            Err(_) => Err(EnrolError::TokenRefused),
        };
        if let (Some(address), Err(EnrolError::TokenRefused)) = (address, &enrolled) {
            self.wrong_tries.count(address, now);
        }
        let enrolled = enrolled.map_err(|error| status_of(&error))?;
        Ok(Response::new(proto::EnrolResponse {
            site: enrolled.site.to_string(),
            certificate: enrolled.certificate.der().to_vec(),
            root: self.coordinator.root().der().to_vec(),
        }))
    }
}
