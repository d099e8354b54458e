//! Dialling the coordinator: TLS 1.3 to the one configured address.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
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
    /// [`EgressError::BadUrl`] for anything else than https with a host.
    pub fn at(url: &str) -> Result<Self, EgressError> {
        let bad = || EgressError::BadUrl { url: url.to_owned() };
        let uri: Uri = url.parse().map_err(|_| bad())?;
        if uri.scheme_str() != Some("https") || uri.host().is_none_or(str::is_empty) {
            return Err(bad());
        }
        // tonic refuses `https` unless it does the TLS itself; here the connector does, and requests
        // keep the true origin.
        let plain: Uri = url.replacen("https://", "http://", 1).parse().map_err(|_| bad())?;
        let endpoint = Endpoint::from(plain)
            .origin(uri)
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS))
            .http2_keep_alive_interval(Duration::from_secs(KEEPALIVE_SECONDS))
            .keep_alive_while_idle(true);
        Ok(Self { url: url.to_owned(), endpoint })
    }

    pub(crate) async fn dial(&self, tls: ClientConfig) -> Result<Channel, EgressError> {
        let connector = TlsConnector::from(Arc::new(tls));
        let connect = tower::service_fn(move |uri: Uri| handshake(connector.clone(), uri));
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

async fn handshake(connector: TlsConnector, uri: Uri) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
    let stream = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(443))).await?;
    stream.set_nodelay(true)?;
    connector.connect(name, stream).await.map(TokioIo::new)
}
