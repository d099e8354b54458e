//! What the server tells whoever watches it, and what it tells nobody.

use std::net::TcpListener;

use fedval_proto as proto;
use fedval_proto::operator_service_client::OperatorServiceClient;
use fedval_proto::result_service_client::ResultServiceClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_stream::once;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use crate::server::Coordinator;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn page(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Asks until the page has `line`; what became of a call is counted when its last byte is sent.
async fn page_with(port: u16, line: &str) -> String {
    let mut found = String::new();
    for _ in 0..500 {
        found = page(port, "/metrics").await;
        if found.lines().any(|candidate| candidate == line) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("`{line}` is not in {found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_page_counts_calls_by_code_and_names_nobody() {
    let port = free_port();
    let coordinator = Coordinator::serve_after(|coordinator| {
        coordinator.configure(&format!("metrics = \"127.0.0.1:{port}\""));
    });
    let site = coordinator.enrol("canary-site").await;
    let mut client = ResultServiceClient::new(coordinator.channel(&site));
    client.submit_result(proto::SubmitResultRequest::default()).await.unwrap_err();
    let refused = "coordinator_calls_total{service=\"ResultService\",method=\"SubmitResult\",\
                   code=\"INVALID_ARGUMENT\",problem=\"MESSAGE_INVALID\"} 1";
    let page_now = page_with(port, refused).await;
    for line in [
        "coordinator_calls_total{service=\"EnrolmentService\",method=\"Enrol\",code=\"OK\",\
         problem=\"\"} 1",
        "coordinator_results_total{outcome=\"refused\",problem=\"MESSAGE_INVALID\"} 1",
        "coordinator_store_answers 1",
    ] {
        assert!(page_now.lines().any(|found| found == line), "{line} is not in {page_now}");
    }
    assert!(!page_now.contains("canary"), "{page_now}");
    assert!(page(port, "/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(page(port, "/").await.starts_with("HTTP/1.1 404"));
    drop(client);
    page_with(port, "coordinator_connections_open 0").await;
}

#[test]
fn a_metrics_address_that_others_reach_stops_the_server() {
    let coordinator = Coordinator::init();
    coordinator.configure("metrics = \"0.0.0.0:0\"");
    let said = coordinator.run(&["serve"]).refused(2, "METRICS_NOT_LOOPBACK");
    assert!(said.contains("hint: "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_connects_may_ask_whether_the_server_works() {
    let coordinator = Coordinator::serve();
    coordinator.logged("store answers").await;
    let mut client = HealthClient::new(coordinator.anonymous());
    for service in ["", "fedval.v1.WorkService", "fedval.v1.OperatorService"] {
        let asked = HealthCheckRequest { service: service.to_owned() };
        assert_eq!(client.check(asked).await.unwrap().into_inner().status, 1, "{service}");
    }
    let asked = HealthCheckRequest { service: "fedval.v1.Other".to_owned() };
    assert_eq!(client.check(asked).await.unwrap_err().code(), Code::NotFound);
}

async fn reflected(channel: Channel) -> Result<Option<ServerReflectionResponse>, tonic::Status> {
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(channel);
    client.server_reflection_info(once(request)).await?.into_inner().message().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_described_to_operators_alone() {
    let coordinator = Coordinator::serve();
    let site = coordinator.enrol("site-a").await;
    for channel in [coordinator.anonymous(), coordinator.channel(&site)] {
        let refused = reflected(channel).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
    let operator = coordinator.channel(&coordinator.party("operator"));
    let answer = reflected(operator).await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    assert!(names.contains(&"fedval.v1.WorkService".to_owned()), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_one_object_a_line_and_holds_no_content_of_messages() {
    let coordinator = Coordinator::serve();
    let operator = coordinator.channel(&coordinator.party("operator"));
    let mut client = OperatorServiceClient::new(operator);
    let site = coordinator.enrol("site-a").await;
    // Refused at every depth: as an id, as a digest, as a token, as a result.
    let study = "CANARY\u{1b}[31m".to_owned();
    client
        .fetch_protocol(proto::FetchProtocolRequest { study, in_force: false })
        .await
        .unwrap_err();
    let locked = proto::LockStudyRequest {
        study: "chest".to_owned(),
        protocol_digest: b"CANARY".to_vec(),
        sponsor: None,
    };
    client.lock_study(locked).await.unwrap_err();
    let mut client = ResultServiceClient::new(coordinator.channel(&site));
    let result = proto::SubmitResultRequest { signature: b"CANARY".to_vec(), ..Default::default() };
    client.submit_result(result).await.unwrap_err();
    coordinator.logged("call refused").await;
    let log = coordinator.log();
    assert!(!log.contains("CANARY") && !log.contains("67, 65, 78, 65"), "{log}");
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["message"].is_string(), "{line}");
    }
}
