//! What stands in a hospital's network: a web proxy, a gateway that opens TLS, machines that answer
//! with something else. All on real sockets.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What a proxy says to whoever shows no right credentials, or to everybody.
#[derive(Clone)]
pub(crate) struct ProxyRules {
    /// The header of the right credentials. None: everybody may pass.
    pub(crate) authorization: Option<String>,
    /// How a refusal, or the opening of a tunnel, is written.
    pub(crate) refusal: String,
    pub(crate) opening: String,
    /// The port that every target leads to.
    pub(crate) leads_to: u16,
}

impl ProxyRules {
    pub(crate) fn open(leads_to: u16) -> Self {
        Self {
            authorization: None,
            refusal: answer(
                "407 Proxy Authentication Required",
                "Proxy-Authenticate: Basic realm=\"x\"",
            ),
            opening: "HTTP/1.1 200 Connection established\r\n\r\n".to_owned(),
            leads_to,
        }
    }

    /// Refuses everybody so.
    pub(crate) fn refusing(refusal: String) -> Self {
        Self { authorization: Some("nobody's".to_owned()), refusal, ..Self::open(0) }
    }
}

/// An answer of HTTP/1 with a body such as proxies show to people.
pub(crate) fn answer(status: &str, header: &str) -> String {
    let body = "<html>no</html>";
    format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A proxy, and the heads of all requests it got.
pub(crate) struct WebProxy {
    pub(crate) port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl WebProxy {
    pub(crate) async fn start(rules: ProxyRules) -> Self {
        Self::start_with(rules, None).await
    }

    /// With TLS to the proxy itself.
    pub(crate) async fn start_with_tls(rules: ProxyRules, config: ServerConfig) -> Self {
        Self::start_with(rules, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start_with(rules: ProxyRules, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (rules, kept, tls) = (rules.clone(), Arc::clone(&kept), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => tunnel(stream, &rules, &kept).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                tunnel(stream, &rules, &kept).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, heads }
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn tunnel(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    rules: &ProxyRules,
    heads: &Mutex<Vec<String>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    heads.lock().unwrap().push(head.clone());
    let shown = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then_some(value)
    });
    if rules.authorization.is_some() && shown != rules.authorization.as_deref() {
        drop(stream.write_all(rules.refusal.as_bytes()).await);
        drop(stream.shutdown().await);
        return;
    }
    stream.write_all(rules.opening.as_bytes()).await.unwrap();
    let Ok(mut target) = TcpStream::connect(("127.0.0.1", rules.leads_to)).await else { return };
    drop(copy_bidirectional(&mut stream, &mut target).await);
}

/// Something that is no coordinator: what it does with whoever connects.
#[derive(Clone, Copy)]
pub(crate) enum Stranger {
    /// Reads a little, says this, and hangs up.
    Says(&'static [u8]),
    /// Reads a little and resets the connection.
    Resets,
    /// Says nothing.
    IsSilent,
}

impl Stranger {
    /// Starts it; its port.
    pub(crate) async fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(self.serve(listener));
        port
    }

    pub(crate) async fn serve(self, listener: TcpListener) {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = [0; 64];
            drop(stream.read(&mut hello).await);
            match self {
                Self::Says(words) => {
                    drop(stream.write_all(words).await);
                    drop(stream.shutdown().await);
                    // Whatever else was sent is read, or the words would be lost by a reset.
                    drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await);
                }
                // Bytes that were sent and not read make the system reset.
                Self::Resets => drop(stream),
                Self::IsSilent => silent.push(stream),
            }
        }
    }
}

/// TLS of an authority of another kind, called `names` in its certificate's name.
pub(crate) struct Gateway {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Gateway {
    pub(crate) fn called(names: &[(DnType, &str)]) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        for (kind, name) in names {
            params.distinguished_name.push(kind.clone(), *name);
        }
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server for `localhost` and any coordinator, as an interceptor makes one up.
    pub(crate) fn server(&self, alpn: &[&[u8]]) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate =
            CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        config
    }
}
