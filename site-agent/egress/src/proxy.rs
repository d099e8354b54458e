//! The web proxy of a hospital: where it is, how it is trusted, what it is shown.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fedval_ambient::Problem;
use fedval_trust::tls;
use hyper::header::HeaderValue;
use rustls::ClientConfig;
use tonic::transport::Uri;

/// A proxy that opens tunnels by HTTP CONNECT.
#[derive(Debug, Clone)]
pub struct Proxy {
    host: String,
    port: u16,
    is_tls: bool,
    tls: Option<Arc<ClientConfig>>,
    credentials: Option<ProxyCredentials>,
}

/// The proxy's settings are not usable. Nothing of them is quoted: an address may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The address is not one.
    #[error("what stands as proxy is not the address of one")]
    BadAddress,
    /// A user or a password stands in the address, where logs of other programs would show it.
    #[error("the proxy's address holds a user or a password")]
    SecretInAddress,
    /// The credentials are not of the form `user:password`.
    #[error("the proxy's credentials are not one line of the form user:password")]
    BadCredentials,
    /// No certificate to trust the proxy by.
    #[error("there is no certificate by which to trust the proxy")]
    BadAuthority,
}

impl Problem for ProxyError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadAddress => "PROXY_INVALID",
            Self::SecretInAddress => "PROXY_SECRET_IN_ADDRESS",
            Self::BadCredentials => "PROXY_CREDENTIALS_INVALID",
            Self::BadAuthority => "PROXY_CA_INVALID",
        }
    }

    fn remedy(&self) -> Option<String> {
        let remedy = match self {
            Self::BadAddress => "write it as http://HOST:PORT or https://HOST:PORT",
            Self::SecretInAddress => {
                "write only http://HOST:PORT; user:password goes into the file that \
                 proxy_credentials names"
            }
            Self::BadCredentials => "write one line user:password into the file, in ASCII or UTF-8",
            Self::BadAuthority => {
                "name a file with the certificate of the authority that certified the proxy, in \
                 PEM, as proxy_ca"
            }
        };
        Some(remedy.to_owned())
    }
}

impl Proxy {
    /// Reads an address such as `http://proxy.example.org:3128`, or `https://…` for a proxy that is
    /// itself spoken to by TLS.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] for anything else than http or https with a host and a port.
    pub fn at(url: &str) -> Result<Self, ProxyError> {
        if url.contains('@') {
            return Err(ProxyError::SecretInAddress);
        }
        let uri: Uri = url.parse().map_err(|_| ProxyError::BadAddress)?;
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(ProxyError::BadAddress),
        };
        match (uri.host(), uri.port_u16()) {
            (Some(host), Some(port)) if is_bare && !host.is_empty() => {
                Ok(Self { host: host.to_owned(), port, is_tls, tls: None, credentials: None })
            }
            _ => Err(ProxyError::BadAddress),
        }
    }

    /// Whether the proxy itself is spoken to by TLS.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Shows the proxy a user and a password.
    #[must_use]
    pub fn with_credentials(self, credentials: ProxyCredentials) -> Self {
        Self { credentials: Some(credentials), ..self }
    }

    /// Trusts the proxy's TLS by these certificates, in PEM. Never by more: they say nothing about
    /// the coordinator.
    ///
    /// # Errors
    ///
    /// [`ProxyError::BadAuthority`] if there is none among them.
    pub fn trusting(self, certificates: &[u8]) -> Result<Self, ProxyError> {
        let config = tls::proxy_config(certificates).map_err(|_| ProxyError::BadAuthority)?;
        Ok(Self { tls: Some(Arc::new(config)), ..self })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) const fn tls(&self) -> Option<&Arc<ClientConfig>> {
        self.tls.as_ref()
    }

    pub(crate) const fn credentials(&self) -> Option<&ProxyCredentials> {
        self.credentials.as_ref()
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// A user and a password. They are written to the proxy, and nowhere else.
#[derive(Clone)]
pub struct ProxyCredentials(HeaderValue);

impl ProxyCredentials {
    /// Reads a line `user:password`; the password may hold colons.
    ///
    /// # Errors
    ///
    /// [`ProxyError::BadCredentials`] for anything else.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let has_user = line.find(':').is_some_and(|at| at > 0);
        if !has_user || line.contains(char::is_control) {
            return Err(ProxyError::BadCredentials);
        }
        let mut value = HeaderValue::try_from(format!("Basic {}", BASE64.encode(line)))
            .map_err(|_| ProxyError::BadCredentials)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(crate) const fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for ProxyCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyCredentials(not shown)")
    }
}
