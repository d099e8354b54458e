//! gRPC services: authenticate, parse, delegate, translate. No rule of the product lives here.

mod artifact;
mod caller;
mod certificate;
mod enrolment;
mod operator;
mod problem;
mod result;
mod status;
mod tries;
mod work;

use std::time::Duration;

use fedval_core::Coordinator;
use fedval_proto::artifact_service_server::ArtifactServiceServer;
use fedval_proto::certificate_service_server::CertificateServiceServer;
use fedval_proto::enrolment_service_server::EnrolmentServiceServer;
use fedval_proto::operator_service_server::OperatorServiceServer;
use fedval_proto::result_service_server::ResultServiceServer;
use fedval_proto::work_service_server::WorkServiceServer;
use tonic::transport::Server;
use tonic::transport::server::Router;

use crate::changes::Changes;

/// Streams that one connection may hold open.
const STREAMS_PER_CONNECTION: u32 = 32;

/// Every service over one coordinator.
pub(crate) fn router(coordinator: &Coordinator, changes: &Changes, keepalive: Duration) -> Router {
    Server::builder()
        .http2_keepalive_interval(Some(keepalive))
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .add_service(EnrolmentServiceServer::new(enrolment::EnrolmentRpc::new(coordinator.clone())))
        .add_service(CertificateServiceServer::new(certificate::CertificateRpc::new(
            coordinator.clone(),
        )))
        .add_service(WorkServiceServer::new(work::WorkRpc::new(
            coordinator.clone(),
            changes.clone(),
        )))
        .add_service(ArtifactServiceServer::new(artifact::ArtifactRpc::new(coordinator.clone())))
        .add_service(ResultServiceServer::new(result::ResultRpc::new(coordinator.clone())))
        .add_service(OperatorServiceServer::new(operator::OperatorRpc::new(
            coordinator.clone(),
            changes.clone(),
        )))
}
