//! gRPC services: authenticate, parse, delegate, translate. No rule of the product lives here.

mod artifact;
mod caller;
mod enrolment;
mod operator;
mod problem;
mod result;
mod status;
mod work;

use std::sync::Arc;
use std::time::Duration;

use fedval_core::Coordinator;
use fedval_proto::artifact_service_server::ArtifactServiceServer;
use fedval_proto::enrolment_service_server::EnrolmentServiceServer;
use fedval_proto::operator_service_server::OperatorServiceServer;
use fedval_proto::result_service_server::ResultServiceServer;
use fedval_proto::work_service_server::WorkServiceServer;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic::transport::server::Router;

/// Streams that one connection may hold open.
const STREAMS_PER_CONNECTION: u32 = 32;

/// Tells open work streams that something was dispatched or closed. Only a nudge: what there is to
/// do is read from the store, so that another replica's dispatch is found too, a little later.
#[derive(Debug, Clone)]
pub(crate) struct Nudge(Arc<watch::Sender<u64>>);

impl Nudge {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    fn nudge(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// Every service over one coordinator.
pub(crate) fn router(coordinator: &Coordinator, keepalive: Duration) -> Router {
    let nudge = Nudge::new();
    Server::builder()
        .http2_keepalive_interval(Some(keepalive))
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .add_service(EnrolmentServiceServer::new(enrolment::EnrolmentRpc::new(coordinator.clone())))
        .add_service(WorkServiceServer::new(work::WorkRpc::new(coordinator.clone(), nudge.clone())))
        .add_service(ArtifactServiceServer::new(artifact::ArtifactRpc::new(coordinator.clone())))
        .add_service(ResultServiceServer::new(result::ResultRpc::new(coordinator.clone())))
        .add_service(OperatorServiceServer::new(operator::OperatorRpc::new(
            coordinator.clone(),
            nudge,
        )))
}
