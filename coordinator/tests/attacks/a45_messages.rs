//! A45: messages of a gigabyte, messages nested without end, messages of unknown fields.

use std::time::Duration;

use fedval_proto as proto;
use fedval_proto::result_service_client::ResultServiceClient;
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::task::JoinSet;
use tokio_stream::{Stream, StreamExt as _};
use tonic::body::Body;
use tonic::codegen::{Bytes, Service as _, http};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::Target;

const SUBMIT: &str = "/fedval.v1.ResultService/SubmitResult";
const GIB: u32 = 1 << 30;
const MIB: usize = 1 << 20;

/// Calls with a body that is sent piece by piece, and waits for the refusal.
async fn refusal(
    channel: Channel,
    path: &str,
    pieces: impl Stream<Item = Bytes> + Send + Sync + 'static,
) -> Status {
    refusal_of("identity", channel, path, pieces).await
}

/// The same with messages that are said to be compressed in one way.
pub(crate) async fn refusal_of(
    encoding: &str,
    mut channel: Channel,
    path: &str,
    pieces: impl Stream<Item = Bytes> + Send + Sync + 'static,
) -> Status {
    let frames = pieces.map(|piece| Ok::<_, Status>(Frame::data(piece)));
    let request = http::Request::post(format!("https://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("grpc-encoding", encoding)
        .header("te", "trailers")
        .body(Body::new(StreamBody::new(frames)))
        .unwrap();
    std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
    let answer = tokio::time::timeout(Duration::from_mins(5), channel.call(request)).await;
    let answer = answer.expect("every call is answered").unwrap();
    Status::from_header_map(answer.headers()).expect("the call is refused")
}

fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_details_error_info().unwrap().reason)
}

/// What stands before a message: not compressed, so many bytes.
fn prefix(bytes: u32) -> Bytes {
    Bytes::from([&[0], &bytes.to_be_bytes()[..]].concat())
}

/// A message of the wire, whole.
fn message(bytes: &[u8]) -> impl Stream<Item = Bytes> + Send + Sync + 'static {
    let prefix = prefix(u32::try_from(bytes.len()).unwrap());
    tokio_stream::iter([prefix, Bytes::copy_from_slice(bytes)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a45_a_gigabyte_is_refused_before_it_arrives() {
    let target = Target::new().await;
    let channel = target.coordinator.channel(&target.hostile);
    let mebibyte = Bytes::from(vec![0; MIB]);
    for path in [SUBMIT, "/fedval.v1.EnrolmentService/Enrol", "/fedval.v1.WorkService/Work"] {
        let pieces =
            std::iter::once(prefix(GIB)).chain(std::iter::repeat_n(mebibyte.clone(), 1024));
        let refused = refusal(channel.clone(), path, tokio_stream::iter(pieces)).await;
        let expected = (Code::ResourceExhausted, "MESSAGE_TOO_LARGE".to_owned());
        assert_eq!(reason(&refused), expected, "{path}");
    }
    let too_large =
        proto::SubmitResultRequest { signature: vec![0; 5 * MIB], ..Default::default() };
    let refused = ResultServiceClient::new(channel).submit_result(too_large).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    target.others_are_served().await;
    target.memory_is_bounded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a45_messages_that_stop_just_before_their_end_are_few_for_one_party() {
    let target = Target::new().await;
    let mut calls = JoinSet::new();
    // Each connection may have 32 streams: together they would hold half a GiB.
    for _ in 0..5 {
        let channel = target.coordinator.channel(&target.hostile);
        for _ in 0..25 {
            let whole = 4 * MIB;
            let pieces = [prefix(u32::try_from(whole).unwrap()), Bytes::from(vec![0; whole - 1])];
            let unfinished = tokio_stream::iter(pieces).chain(tokio_stream::pending());
            calls.spawn(refusal(channel.clone(), SUBMIT, unfinished));
        }
    }
    // All but the few that wait for their last byte.
    for _ in 0..100 {
        let refused = calls.join_next().await.unwrap().unwrap();
        let expected = (Code::ResourceExhausted, "TOO_MANY_CALLS".to_owned());
        assert_eq!(reason(&refused), expected);
    }
    target.others_are_served().await;
    target.memory_is_bounded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a45_a_message_nested_without_end_is_refused() {
    let target = Target::new().await;
    let channel = target.coordinator.channel(&target.hostile);
    // Groups of an unknown field 15, each inside the one before, and field 1 inside field 1.
    let groups = vec![15 << 3 | 3; MIB];
    let mut inside = Vec::new();
    for _ in 0..2000 {
        let mut outer = vec![1 << 3 | 2];
        let mut length = inside.len();
        while length >= 0x80 {
            outer.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        outer.push(u8::try_from(length).unwrap());
        outer.extend(inside);
        inside = outer;
    }
    for bytes in [groups, inside] {
        let refused = refusal(channel.clone(), SUBMIT, message(&bytes)).await;
        assert_eq!(reason(&refused), (Code::InvalidArgument, "MESSAGE_INVALID".to_owned()));
    }
    target.others_are_served().await;
    target.memory_is_bounded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a45_a_flood_of_unknown_fields_is_skipped_and_refused() {
    let target = Target::new().await;
    let channel = target.coordinator.channel(&target.hostile);
    let fields = [15 << 3, 1].repeat(2 * MIB - 8);
    for _ in 0..20 {
        let refused = refusal(channel.clone(), SUBMIT, message(&fields)).await;
        assert_eq!(reason(&refused), (Code::InvalidArgument, "MESSAGE_INVALID".to_owned()));
    }
    target.others_are_served().await;
    target.memory_is_bounded();
}
