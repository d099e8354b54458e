//! Dialling the coordinator: TLS 1.3 to the one configured address, through a proxy where there is one.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use fedval_trust::tls;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::first_bytes::FirstBytes;
use crate::{DialError, EgressError, Proxy, interceptor, tunnel};

/// How long each step of a dial may take.
const STEP_SECONDS: u64 = 15;
/// A dead connection is noticed after this long.
const KEEPALIVE_SECONDS: u64 = 30;
/// A piece of a model comes in one frame, and not in two and a bit.
const FRAME_BYTES: u32 = 64 * 1024;
const HTTPS_PORT: u16 = 443;

/// A way on which bytes go to and fro.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}
/// A way that is plain, or leads through a proxy, or through TLS to a proxy.
pub(crate) type Wire = Box<dyn Stream>;

/// The coordinator's address.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) url: String,
    host: String,
    port: u16,
}

impl Address {
    /// The address as network teams write it.
    pub(crate) fn target(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The one coordinator that this site speaks to.
#[derive(Clone)]
pub struct Coordinator {
    address: Address,
    endpoint: Endpoint,
    proxy: Option<Proxy>,
    step: Duration,
}

impl fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coordinator")
            .field("url", &self.address.url)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
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
        let authority = authority.ok_or_else(bad)?;
        let address = Address {
            url: url.to_owned(),
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(HTTPS_PORT),
        };
        // tonic refuses `https` unless it does the TLS itself; here the connector does, and requests
        // keep the true origin.
        let plain: Uri = format!("http://{authority}").parse().map_err(|_| bad())?;
        let endpoint = Endpoint::from(plain)
            .origin(uri)
            .http2_keep_alive_interval(Duration::from_secs(KEEPALIVE_SECONDS))
            .keep_alive_while_idle(true)
            .max_frame_size(FRAME_BYTES);
        Ok(Self { address, endpoint, proxy: None, step: Duration::from_secs(STEP_SECONDS) })
    }

    /// Goes through a proxy: neither the coordinator's name nor its address is then asked for here.
    #[must_use]
    pub fn with_proxy(self, proxy: Proxy) -> Self {
        Self { proxy: Some(proxy), ..self }
    }

    /// Waits this long at most for each step of a dial, instead of 15 seconds.
    #[must_use]
    pub fn with_patience(self, step: Duration) -> Self {
        Self { step, ..self }
    }

    /// The proxy it goes through.
    #[must_use]
    pub const fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    pub(crate) async fn dial(&self, tls: ClientConfig) -> Result<Channel, EgressError> {
        let (this, tls) = (Arc::new(self.clone()), Arc::new(tls));
        let connect = tower::service_fn(move |_: Uri| {
            let (this, tls) = (Arc::clone(&this), Arc::clone(&tls));
            async move { this.connect(tls).await.map(TokioIo::new) }
        });
        self.endpoint.connect_with_connector(connect).await.map_err(|error| {
            let unreachable = || DialError::Unreachable { url: self.address.url.clone() };
            DialError::within(&error).cloned().unwrap_or_else(unreachable).into()
        })
    }

    async fn connect(&self, tls: Arc<ClientConfig>) -> Result<impl Stream + use<>, DialError> {
        let wire = match &self.proxy {
            None => self.direct().await?,
            Some(proxy) => self.through(proxy).await?,
        };
        self.handshake(tls, wire).await
    }

    async fn direct(&self) -> Result<Wire, DialError> {
        let unreachable = || DialError::Unreachable { url: self.address.url.clone() };
        let stream = tcp(&self.address.host, self.address.port, self.step, unreachable).await?;
        Ok(Box::new(stream))
    }

    async fn through(&self, proxy: &Proxy) -> Result<Wire, DialError> {
        let unreachable = || DialError::ProxyUnreachable { proxy: proxy.to_string() };
        let stream = tcp(proxy.host(), proxy.port(), self.step, unreachable).await?;
        let wire: Wire = match proxy.tls() {
            None if proxy.is_tls() => {
                return Err(DialError::ProxyCertificate { proxy: proxy.to_string() });
            }
            None => Box::new(stream),
            Some(config) => {
                let shaken = tls::handshake(Arc::clone(config), proxy.host(), stream);
                let silent = |_| DialError::NotAProxy { proxy: proxy.to_string(), status: None };
                let shaken = timeout(self.step, shaken).await.map_err(silent)?;
                Box::new(shaken.map_err(|error| not_that_proxy(&error, proxy))?)
            }
        };
        let target = self.address.target();
        let opened = timeout(self.step, tunnel::open(wire, proxy, &target)).await;
        // Most proxies try for longer than this to reach what swallows their packets.
        opened.unwrap_or_else(|_| {
            Err(DialError::ProxyCannotReach { proxy: proxy.to_string(), target, status: None })
        })
    }

    async fn handshake(
        &self,
        config: Arc<ClientConfig>,
        wire: Wire,
    ) -> Result<impl Stream + use<>, DialError> {
        let (wire, opening) = FirstBytes::of(wire);
        let (url, target) = (self.address.url.clone(), self.address.target());
        let shaken = timeout(self.step, tls::handshake(config, &self.address.host, wire)).await;
        let shaken = shaken.map_err(|_| DialError::HandshakeSilent { url: url.clone() })?;
        let stream = shaken.map_err(|e| interceptor::explain(&e, &opening, &self.address))?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            Ok(stream)
        } else {
            Err(DialError::AlpnMissing { url, target })
        }
    }
}

/// Connects to the first address of `host` that answers.
async fn tcp(
    host: &str,
    port: u16,
    patience: Duration,
    unreachable: impl Fn() -> DialError,
) -> Result<TcpStream, DialError> {
    // An IPv6 address stands in brackets in a URL.
    let host = host.trim_matches(['[', ']']);
    let unknown = || DialError::NameUnknown { host: host.to_owned() };
    let found = timeout(patience, lookup_host((host, port))).await.map_err(|_| unknown())?;
    let addresses: Vec<_> = found.map_err(|_| unknown())?.collect();
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    // A network without a way for one family of addresses must not use up the other's time.
    let each = patience.checked_div(count).ok_or_else(unknown)?;
    for address in addresses {
        if let Ok(Ok(stream)) = timeout(each, TcpStream::connect(address)).await {
            stream.set_nodelay(true).map_err(|_| unreachable())?;
            return Ok(stream);
        }
    }
    Err(unreachable())
}

fn not_that_proxy(error: &io::Error, proxy: &Proxy) -> DialError {
    let proxy = proxy.to_string();
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(_)) => DialError::ProxyCertificate { proxy },
        _ => DialError::NotAProxy { proxy, status: None },
    }
}
