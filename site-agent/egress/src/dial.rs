//! Dialling the coordinator: TLS 1.3 to the one configured address.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use fedval_trust::tls;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::EgressError;

const CONNECT_SECONDS: u64 = 15;
/// A dead connection is noticed after this long.
const KEEPALIVE_SECONDS: u64 = 30;

/// The one coordinator that this site speaks to.
#[derive(Debug, Clone)]
pub struct Coordinator {
    url: String,
    endpoint: Endpoint,
}

impl Coordinator {
    /// Reads an address such as `https://fedval.example.org:443`.
    ///
    /// # Errors
    ///
    /// [`EgressError::BadUrl`] for anything else than https with a host and, perhaps, a port.
    pub fn at(url: &str) -> Result<Self, EgressError> {
        let bad = || EgressError::BadUrl { url: url.to_owned() };
        let uri: Uri = url.parse().map_err(|_| bad())?;
        let authority = uri.authority().filter(|authority| {
            // Nothing before the host, which would read like another one; after it, a port or nothing.
            let rest = authority.as_str().strip_prefix(authority.host());
            let is_port = authority.port_u16().is_some();
            !authority.host().is_empty() && rest.is_some_and(|rest| rest.is_empty() || is_port)
        });
        let is_bare = matches!(uri.path_and_query().map(PathAndQuery::as_str), None | Some("/"));
        let authority = authority.filter(|_| is_bare && uri.scheme_str() == Some("https"));
        let authority = authority.ok_or_else(bad)?.as_str();
        // tonic refuses `https` unless it does the TLS itself; here the connector does, and requests
        // keep the true origin.
        let plain: Uri = format!("http://{authority}").parse().map_err(|_| bad())?;
        let endpoint = Endpoint::from(plain)
            .origin(uri)
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS))
            .http2_keep_alive_interval(Duration::from_secs(KEEPALIVE_SECONDS))
            .keep_alive_while_idle(true);
        Ok(Self { url: url.to_owned(), endpoint })
    }

    pub(crate) async fn dial(&self, tls: ClientConfig) -> Result<Channel, EgressError> {
        let tls = Arc::new(tls);
        let connect = tower::service_fn(move |uri: Uri| {
            let tls = Arc::clone(&tls);
            async move {
                let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(443));
                tls::dial(tls, host, port).await.map(TokioIo::new)
            }
        });
        self.endpoint.connect_with_connector(connect).await.map_err(|error| self.problem(&error))
    }

    /// Nobody there, or somebody else there: two different calls to make.
    fn problem(&self, error: &tonic::transport::Error) -> EgressError {
        let mut source = error.source();
        while let Some(cause) = source {
            let tls = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            let tls = tls.and_then(|inner| inner.downcast_ref::<rustls::Error>());
            if matches!(tls, Some(rustls::Error::InvalidCertificate(_))) {
                return EgressError::WrongRoot { url: self.url.clone() };
            }
            source = cause.source();
        }
        EgressError::Unreachable { url: self.url.clone() }
    }
}
