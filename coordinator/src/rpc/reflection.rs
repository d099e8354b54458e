//! The contract's description for tools such as grpcurl. It is public, but a list of what to attack is
//! handed to operators alone.

use std::convert::Infallible;
use std::task::{Context, Poll};

use fedval_core::Coordinator;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::NamedService;
use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};

use super::caller;

/// Serves the descriptors of every service.
pub(super) fn service(
    coordinator: &Coordinator,
) -> Result<
    OperatorsOnly<ServerReflectionServer<impl ServerReflection>>,
    tonic_reflection::server::Error,
> {
    let inner = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(fedval_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    Ok(OperatorsOnly { inner, coordinator: coordinator.clone() })
}

/// A service that answers operators.
#[derive(Debug, Clone)]
pub(super) struct OperatorsOnly<S> {
    inner: S,
    coordinator: Coordinator,
}

impl<S: NamedService> NamedService for OperatorsOnly<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for OperatorsOnly<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let coordinator = self.coordinator.clone();
        // The one that is ready answers; its clone waits for the next call.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move {
            let mut asks = tonic::Request::new(());
            *asks.extensions_mut() = request.extensions().clone();
            match caller::person(&coordinator, &asks).await {
                Ok(_) => inner.call(request).await,
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}
