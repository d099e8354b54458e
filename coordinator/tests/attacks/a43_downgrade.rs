//! A43: an old protocol version, another protocol, no certificate.

use std::time::Duration;

use fedval_trust::tls;
use http_body_util::StreamBody;
use hyper::body::Frame;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::codegen::{Bytes, Service as _, http};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::raw::{self, PREFACE};
use crate::server::Coordinator;

const ALERT: u8 = 21;
const PROTOCOL_VERSION: u8 = 70;

/// What the server answers before it hangs up.
async fn answer_to(coordinator: &Coordinator, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", coordinator.port)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // Hanging up without reading everything may look like a reset; what was said before counts.
    drop(stream.read_to_end(&mut answer).await);
    answer
}

/// A greeting as TLS 1.2 clients send it: no extension that names a later version.
fn hello_of_tls_1_2() -> Vec<u8> {
    let suites: [u16; 2] = [0xc02b, 0xc02f];
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.push(0);
    hello.extend([0, 4]);
    hello.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    hello.extend([1, 0]);
    // Signature algorithms and groups, as every client of that time names them.
    let extensions = [0, 13, 0, 4, 0, 2, 4, 3, 0, 10, 0, 4, 0, 2, 0, 23];
    hello.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    let handshake = [&[1, 0, 0, length], &hello[..]].concat();
    [&[22, 3, 1, 0, length + 4], &handshake[..]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a43_tls_1_2_is_refused() {
    let coordinator = Coordinator::serve();
    let answer = answer_to(&coordinator, &hello_of_tls_1_2()).await;
    assert_eq!((answer[0], answer[6]), (ALERT, PROTOCOL_VERSION), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a43_http_2_without_tls_is_refused() {
    let coordinator = Coordinator::serve();
    let answer = answer_to(&coordinator, PREFACE).await;
    assert!(answer.is_empty() || answer[0] == ALERT, "{answer:?}");
    let answer = answer_to(&coordinator, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(answer.is_empty() || answer[0] == ALERT, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a43_a_peer_that_does_not_name_http_2_is_not_served() {
    let coordinator = Coordinator::serve();
    let root = coordinator.root().fingerprint();
    let mut unnamed = tls::enrolment_config(root).unwrap();
    unnamed.alpn_protocols.clear();
    let mut stream = raw::dial(&coordinator, unnamed).await.unwrap();
    let mut answer = Vec::new();
    if stream.write_all(PREFACE).await.is_ok() {
        drop(stream.read_to_end(&mut answer).await);
    }
    assert!(answer.is_empty(), "{answer:?}");
    let mut other = tls::enrolment_config(root).unwrap();
    other.alpn_protocols = vec![b"http/1.1".to_vec()];
    assert!(raw::dial(&coordinator, other).await.is_err());
}

/// Every method that is served.
fn methods() -> Vec<String> {
    let sets = [
        fedval_proto::DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    ];
    let files = sets.iter().flat_map(|set| FileDescriptorSet::decode(*set).unwrap().file);
    let mut methods = Vec::new();
    for file in files {
        for service in &file.service {
            for method in &service.method {
                methods.push(format!("/{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    methods
}

#[tokio::test(flavor = "multi_thread")]
async fn a43_without_a_certificate_everything_but_enrolment_and_health_is_refused_unread() {
    let coordinator = Coordinator::serve();
    let mut channel = coordinator.anonymous();
    let methods = methods();
    assert!(methods.len() > 15, "{methods:?}");
    for path in methods.iter().map(String::as_str).chain(["/", "/fedval.v1.Other/Call"]) {
        if path.contains("EnrolmentService") || path.contains("grpc.health") {
            continue;
        }
        // A message that never comes: whoever waits for it does not answer.
        let never = tokio_stream::pending::<Result<Frame<Bytes>, Status>>();
        let body = Body::new(StreamBody::new(never));
        let request = http::Request::post(format!("https://localhost{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(body)
            .unwrap();
        std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
        let answered = tokio::time::timeout(Duration::from_mins(1), channel.call(request));
        let answer = answered.await.expect("the message is not waited for").unwrap();
        let status = Status::from_header_map(answer.headers()).unwrap();
        assert_eq!(status.code(), Code::Unauthenticated, "{path}");
        assert_eq!(status.get_details_error_info().unwrap().reason, "NOT_ENROLLED");
    }
    let mut health = HealthClient::new(coordinator.anonymous());
    let asked = HealthCheckRequest { service: "fedval.v1.WorkService".to_owned() };
    coordinator.logged("store answers").await;
    assert_eq!(health.check(asked).await.unwrap().into_inner().status, 1);
}
