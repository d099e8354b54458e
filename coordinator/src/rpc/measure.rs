//! Counts every call by its method and how it ended.

use std::convert::Infallible;
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::Layer;

use super::method::{self, Method};
use crate::metrics::{Counted, Metrics, Outcome};

type Request = http::Request<Body>;
type Response = http::Response<Body>;

/// How a result that was handed in was taken, told by its service beside the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    /// Whether it had been handed in before.
    pub(super) duplicate: bool,
}

/// Puts the counting around every service.
#[derive(Debug, Clone)]
pub(crate) struct Measure(pub(super) Metrics);

impl<S> Layer<S> for Measure {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured { inner, metrics: self.0.clone() }
    }
}

/// Services whose calls are counted.
#[derive(Debug, Clone)]
pub(crate) struct Measured<S> {
    inner: S,
    metrics: Metrics,
}

impl<S> Service<Request> for Measured<S>
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
        let mut call = Call::begin(&self.metrics, method::of(request.uri().path()));
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            if let Some(status) = Status::from_header_map(answer.headers()) {
                call.hear(&status);
                return Ok(answer);
            }
            call.taken = answer.extensions().get().copied();
            Ok(answer.map(|body| Body::new(counted(body, call))))
        })
    }
}

fn counted(
    body: Body,
    mut call: Call,
) -> impl tonic::codegen::Body<Data = tonic::codegen::Bytes, Error = Status> {
    body.map_frame(move |frame| {
        if let Some(data) = frame.data_ref() {
            call.sent(data.len());
        }
        if let Some(status) = frame.trailers_ref().and_then(Status::from_header_map) {
            call.hear(&status);
        }
        frame
    })
}

/// A call that has not ended. It ends when this is dropped, whoever drops it.
struct Call {
    metrics: Metrics,
    method: &'static Method,
    begun: Instant,
    outcome: Option<Outcome>,
    taken: Option<Taken>,
    _open: Option<Counted>,
}

impl Call {
    fn begin(metrics: &Metrics, method: &'static Method) -> Self {
        Self {
            metrics: metrics.clone(),
            method,
            begun: Instant::now(),
            outcome: None,
            taken: None,
            _open: (method.service == "WorkService").then(|| metrics.work_stream()),
        }
    }

    fn hear(&mut self, status: &Status) {
        self.outcome = Some(outcome(status));
    }

    fn sent(&self, bytes: usize) {
        if self.method.service == "ArtifactService" {
            self.metrics.downloaded(bytes);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Nobody waits for the rest of the answer any more.
        let cancelled = || Outcome { code: "CANCELLED", problem: String::new() };
        let outcome = self.outcome.take().unwrap_or_else(cancelled);
        if self.method.service == "ResultService" {
            match self.taken {
                Some(Taken { duplicate: true }) => self.metrics.result("duplicate", ""),
                Some(Taken { duplicate: false }) => self.metrics.result("accepted", ""),
                None => self.metrics.result("refused", &outcome.problem),
            }
        }
        let took = (!self.method.streams).then(|| self.begun.elapsed());
        self.metrics.call_ended(self.method.service, self.method.name, outcome, took);
    }
}

fn outcome(status: &Status) -> Outcome {
    let problem = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    Outcome { code: name(status.code()), problem }
}

/// A code as the specification of gRPC writes it.
const fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
