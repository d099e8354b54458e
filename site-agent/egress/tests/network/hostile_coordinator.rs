//! A coordinator with true keys that answers a download with whatever it likes, byte by byte.

use std::convert::Infallible;
use std::sync::Arc;

use fedval_ambient::SystemClock;
use fedval_proto as proto;
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::consortium::Consortium;

/// What follows the headers of each answer, and whether there is an end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) body: Vec<Bytes>,
    /// The header that says how messages are compressed.
    pub(crate) encoding: Option<&'static str>,
}

/// A message as the wire frames it; `flag` 1 says that it is compressed.
pub(crate) fn framed(flag: u8, message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag], &length[..], message].concat().into()
}

/// A piece of a model.
pub(crate) fn chunk(data: &[u8]) -> Vec<u8> {
    proto::ArtifactChunk { data: data.to_vec().into() }.encode_to_vec()
}

/// Starts it; its port. It stays until the test ends.
pub(crate) async fn start(consortium: &Consortium, answer: Answer) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(consortium.server(&SystemClock)));
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            connections.spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = hyper::service::service_fn(move |_: Request<Incoming>| {
                    let response = answer.response();
                    async { Ok::<_, Infallible>(response) }
                });
                let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                drop(http.serve_connection(TokioIo::new(stream), service).await);
            });
        }
    });
    port
}

type Body = StreamBody<tokio_stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

impl Answer {
    fn response(&self) -> Response<Body> {
        let mut frames: Vec<_> = self.body.iter().cloned().map(Frame::data).map(Ok).collect();
        let trailers = [("grpc-status", "0")].map(|(name, value)| {
            (
                hyper::header::HeaderName::from_static(name),
                hyper::header::HeaderValue::from_static(value),
            )
        });
        frames.push(Ok(Frame::trailers(trailers.into_iter().collect())));
        let mut response = Response::builder().header("content-type", "application/grpc");
        if let Some(encoding) = self.encoding {
            response = response.header("grpc-encoding", encoding);
        }
        response.body(StreamBody::new(tokio_stream::iter(frames))).unwrap()
    }
}
