//! `fedval.v1.CertificateService`: an enrolled site renews its certificate.

use fedval_core::Coordinator;
use fedval_proto as proto;
use fedval_proto::certificate_service_server::CertificateService;
use tonic::{Request, Response, Status};

use super::caller;
use super::problem::status_of;

/// Serves renewals.
#[derive(Debug)]
pub(super) struct CertificateRpc {
    coordinator: Coordinator,
}

impl CertificateRpc {
    pub(super) const fn new(coordinator: Coordinator) -> Self {
        Self { coordinator }
    }
}

#[tonic::async_trait]
impl CertificateService for CertificateRpc {
    #[tracing::instrument(name = "certificate.renew", skip_all)]
    async fn renew(
        &self,
        request: Request<proto::RenewRequest>,
    ) -> Result<Response<proto::RenewResponse>, Status> {
        let site = caller::site(&self.coordinator, &request).await?;
        let key = caller::key(&request)?;
        let renewed = self.coordinator.site_renew(&site, &key).await;
        let certificate = renewed.map_err(|error| status_of(&error))?;
        Ok(Response::new(proto::RenewResponse { certificate: certificate.der().to_vec() }))
    }

    #[tracing::instrument(name = "certificate.check", skip_all)]
    async fn check(
        &self,
        request: Request<proto::CheckRequest>,
    ) -> Result<Response<proto::CheckResponse>, Status> {
        let site = caller::site(&self.coordinator, &request).await?.to_string();
        let now_ms = self.coordinator.clock().now().unix_millis();
        Ok(Response::new(proto::CheckResponse { site, now_ms }))
    }
}
