//! gRPC services: authenticate, parse, delegate, translate. No rule of the product lives here.

mod access;
mod artifact;
mod caller;
mod certificate;
mod enrolment;
mod gate;
mod log;
mod measure;
mod method;
mod operator;
mod person;
mod problem;
mod reflection;
mod result;
mod status;
mod tries;
mod work;

use std::time::Duration;

use fedval_core::Coordinator;
use fedval_proto::artifact_service_server::ArtifactServiceServer;
use fedval_proto::certificate_service_server::CertificateServiceServer;
use fedval_proto::enrolment_service_server::EnrolmentServiceServer;
use fedval_proto::log_service_server::LogServiceServer;
use fedval_proto::operator_service_server::OperatorServiceServer;
use fedval_proto::result_service_server::ResultServiceServer;
use fedval_proto::work_service_server::WorkServiceServer;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;
use tower::layer::util::{Identity, Stack};

use crate::changes::Changes;
use crate::health::Health;
use crate::metrics::Metrics;
use gate::Gate;
use measure::Measure;
pub(crate) use method::services;
pub(crate) use status::{site_progress, study_state};

/// A silent connection is probed after this long, and dropped when it does not answer.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);
/// Streams that one connection may hold open.
const STREAMS_PER_CONNECTION: u32 = 32;
/// Streams that a peer opened and took back before anybody looked: beyond it, it does so on purpose.
const STREAMS_TAKEN_BACK: usize = 20;
/// Streams that broke the protocol and that the connection still remembers.
const STREAMS_BROKEN: usize = 64;
/// Bytes of one call's headers, over however many frames.
const HEADER_BYTES: u32 = 16 * 1024;
/// Bytes of one frame that is received.
const FRAME_BYTES: u32 = 16 * 1024;
/// Bytes of one message: results, and the pieces of what operators send.
const MESSAGE_BYTES: usize = 4 << 20;
/// Bytes of one message of every other call: names, tokens, signing requests, events.
const SMALL_MESSAGE_BYTES: usize = 64 << 10;

/// What every call passes, the outermost last.
type Layers = Stack<Gate, Stack<Measure, Identity>>;

/// Every service over one coordinator, behind what every call passes.
pub(crate) fn router(
    coordinator: &Coordinator,
    changes: &Changes,
    metrics: &Metrics,
    health: &Health,
    pages: Option<String>,
) -> Result<Router<Layers>, tonic_reflection::server::Error> {
    let routes = routes(coordinator, changes, health, pages)?;
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .http2_max_pending_accept_reset_streams(Some(STREAMS_TAKEN_BACK))
        .http2_max_local_error_reset_streams(Some(STREAMS_BROKEN))
        .http2_max_header_list_size(HEADER_BYTES)
        .max_frame_size(FRAME_BYTES)
        .layer(Measure(metrics.clone()))
        .layer(Gate::new());
    Ok(server.add_routes(routes))
}

fn routes(
    coordinator: &Coordinator,
    changes: &Changes,
    health: &Health,
    pages: Option<String>,
) -> Result<Routes, tonic_reflection::server::Error> {
    let (one, changes) = (|| coordinator.clone(), || changes.clone());
    let enrolment = EnrolmentServiceServer::new(enrolment::EnrolmentRpc::new(one()));
    let certificate = CertificateServiceServer::new(certificate::CertificateRpc::new(one()));
    let work = WorkServiceServer::new(work::WorkRpc::new(one(), changes()));
    let artifact = ArtifactServiceServer::new(artifact::ArtifactRpc::new(one()));
    let log = LogServiceServer::new(log::LogRpc::new(one()));
    let result = ResultServiceServer::new(result::ResultRpc::new(one()));
    let operator = operator::OperatorRpc::new(one(), changes(), pages);
    let operator = OperatorServiceServer::new(operator);
    let asked = HealthServer::new(HealthService::from_health_reporter(health.reporter().clone()));
    Ok(Routes::new(enrolment.max_decoding_message_size(SMALL_MESSAGE_BYTES))
        .add_service(certificate.max_decoding_message_size(SMALL_MESSAGE_BYTES))
        .add_service(work.max_decoding_message_size(SMALL_MESSAGE_BYTES))
        .add_service(artifact.max_decoding_message_size(SMALL_MESSAGE_BYTES))
        .add_service(log.max_decoding_message_size(SMALL_MESSAGE_BYTES))
        .add_service(result.max_decoding_message_size(MESSAGE_BYTES))
        .add_service(operator.max_decoding_message_size(MESSAGE_BYTES))
        .add_service(asked.max_decoding_message_size(SMALL_MESSAGE_BYTES))
        .add_service(reflection::service(coordinator)?))
}
