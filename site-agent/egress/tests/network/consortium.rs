//! A consortium of one site: its authority, its coordinator's TLS server, and the site's own keys.

use std::convert::Infallible;
use std::sync::Arc;

use fedval_ambient::{Clock, SeededEntropy, SystemClock, Timestamp};
use fedval_egress::{Connection, Coordinator, EgressError};
use fedval_trust::{Authority, Certificate, Role, SecretKey, tls};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::header::DATE;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The name that the coordinator's certificate holds beside `localhost`: no name server knows it.
pub(crate) const HIDDEN_NAME: &str = "coordinator.test";

/// Keys and certificates.
pub(crate) struct Consortium {
    pub(crate) authority: Authority,
    site: (SecretKey, Certificate),
}

impl Consortium {
    /// Another one for each seed.
    pub(crate) fn new(seed: u64) -> Self {
        let entropy = SeededEntropy::new(seed);
        let authority = Authority::create(&SystemClock, &entropy).unwrap();
        let key = SecretKey::generate(&entropy);
        let role = Role::Site("site-a".parse().unwrap());
        let certificate = authority.issue(&role, &key, &[], 30, &SystemClock, &entropy).unwrap();
        Self { authority, site: (key, certificate) }
    }

    /// What the coordinator's TLS is made of, at the time of `clock`.
    pub(crate) fn server(&self, clock: &dyn Clock) -> ServerConfig {
        let entropy = SeededEntropy::new(99);
        let key = SecretKey::generate(&entropy);
        let hosts = ["localhost", HIDDEN_NAME].map(str::to_owned);
        let certificate =
            self.authority.issue(&Role::Server, &key, &hosts, 30, clock, &entropy).unwrap();
        tls::server_config(self.authority.root(), &certificate, &key).unwrap()
    }

    /// Starts the coordinator's server; its port.
    pub(crate) async fn serve(&self) -> u16 {
        serve(self.server(&SystemClock), None).await
    }

    pub(crate) async fn time(&self, coordinator: &Coordinator) -> Result<Timestamp, EgressError> {
        let (key, certificate) = &self.site;
        coordinator.time(self.authority.root(), certificate, key).await
    }

    pub(crate) async fn open(&self, coordinator: &Coordinator) -> Result<Connection, EgressError> {
        let (key, certificate) = &self.site;
        Connection::open(coordinator, self.authority.root(), certificate, key).await
    }
}

/// A server of HTTP/2 over TLS that answers everything with nothing; `date` where its clock is not
/// this machine's. It stays until the test ends.
pub(crate) async fn serve(config: ServerConfig, date: Option<&'static str>) -> u16 {
    let (port, mut server) = serve_a_while(config, date).await;
    server.detach_all();
    port
}

/// The same, until the set is dropped, which also ends all its connections.
pub(crate) async fn serve_a_while(
    config: ServerConfig,
    date: Option<&'static str>,
) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            connections.spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let answer = hyper::service::service_fn(move |_: Request<Incoming>| async move {
                    let mut answer = Response::new(Empty::<Bytes>::new());
                    if let Some(date) = date {
                        answer.headers_mut().insert(DATE, date.parse().unwrap());
                    }
                    Ok::<_, Infallible>(answer)
                });
                let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                drop(http.serve_connection(TokioIo::new(stream), answer).await);
            });
        }
    });
    (port, server)
}
