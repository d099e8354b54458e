//! What every call passes before its service sees it: a certificate where one is needed, no more heavy
//! calls of one caller than memory was set aside for, and an end.
//!
//! Messages are read before a service can ask who calls. So whoever shows no certificate is turned
//! away here, before a byte of a message is kept.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use fedval_ambient::Problem;
use fedval_trust::{Certificate, PublicKey};
use http_body_util::BodyExt as _;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use tonic::{Code, Status};
use tower::Layer;

use super::method::{self, Callers, Weight};
use super::problem::{status_of, unauthenticated};
use crate::tally::{Held, Tally};

type Request = http::Request<Body>;
type Response = http::Response<Body>;

/// Heavy calls of one identity at once: times four MiB is what one enrolled party can make the
/// coordinator hold, over however many connections.
const HEAVY_CALLS: usize = 8;

/// A call took too long.
#[derive(Debug, thiserror::Error)]
#[error("the call was not answered in time")]
struct TimedOut;

impl Problem for TimedOut {
    fn code(&self) -> &'static str {
        "CALL_TIMED_OUT"
    }

    fn remedy(&self) -> Option<String> {
        Some("try again; if it happens again, look at the log of `fedval serve`".to_owned())
    }
}

/// One caller has too many heavy calls open.
#[derive(Debug, thiserror::Error)]
#[error("this party has too many uploads and downloads open")]
struct TooManyCalls;

impl Problem for TooManyCalls {
    fn code(&self) -> &'static str {
        "TOO_MANY_CALLS"
    }

    fn remedy(&self) -> Option<String> {
        Some("wait until one of them has ended".to_owned())
    }
}

/// A message is larger than any honest one.
#[derive(Debug, thiserror::Error)]
#[error("the message is larger than this call takes")]
struct MessageTooLarge;

impl Problem for MessageTooLarge {
    fn code(&self) -> &'static str {
        "MESSAGE_TOO_LARGE"
    }

    fn remedy(&self) -> Option<String> {
        Some("use the version of fedval that the coordinator runs".to_owned())
    }
}

/// Bytes are not the message of this call.
#[derive(Debug, thiserror::Error)]
#[error("the message cannot be read")]
struct MessageUnreadable;

impl Problem for MessageUnreadable {
    fn code(&self) -> &'static str {
        "MESSAGE_INVALID"
    }

    fn remedy(&self) -> Option<String> {
        Some("use the version of fedval that the coordinator runs".to_owned())
    }
}

/// Puts the gate before every service.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    heavy: Arc<Tally<PublicKey>>,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self { heavy: Arc::new(Tally::new(HEAVY_CALLS)) }
    }
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { inner, gate: self.clone() }
    }
}

/// Services behind the gate.
#[derive(Debug, Clone)]
pub(crate) struct Gated<S> {
    inner: S,
    gate: Gate,
}

impl<S> Service<Request> for Gated<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<Response, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let method = method::of(request.uri().path());
        let caller = identity(&request);
        let held = match (caller, method.callers, method.weight) {
            (None, Callers::Certified, _) => Err(unauthenticated()),
            (Some(caller), _, Weight::Heavy) => match self.gate.heavy.hold(caller) {
                Some(held) => Ok(Some(held)),
                None => Err(status_of(&TooManyCalls)),
            },
            _ => Ok(None),
        };
        let held = match held {
            Ok(held) => held,
            Err(status) => return Box::pin(async move { Ok(status.into_http()) }),
        };
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = match method.answers_within {
                Some(limit) => tokio::time::timeout(limit, answer).await,
                None => Ok(answer.await),
            };
            let Ok(answer) = answer else { return Ok(status_of(&TimedOut).into_http()) };
            answer.map(|answer| kept(told(answer), held))
        })
    }
}

/// The key that the connection's certificate proves.
fn identity(request: &Request) -> Option<PublicKey> {
    let connection = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>()?;
    let certificates = connection.peer_certs()?;
    Certificate::from_der(certificates.first()?).ok().map(|leaf| leaf.public_key())
}

/// The transport's refusals of a message, in the form of all others.
fn told(answer: Response) -> Response {
    let Some(status) = Status::from_header_map(answer.headers()) else { return answer };
    match status.code() {
        // No service of ours answers with these two; the transport does.
        Code::OutOfRange => status_of(&MessageTooLarge).into_http(),
        Code::Internal if status.details().is_empty() => status_of(&MessageUnreadable).into_http(),
        _ => answer,
    }
}

/// The answer, holding its place until its last byte is sent.
fn kept(answer: Response, held: Option<Held<PublicKey>>) -> Response {
    let Some(held) = held else { return answer };
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &held;
            frame
        }))
    })
}
