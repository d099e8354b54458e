//! A page of metrics for whoever asks on this machine: plain HTTP on a loopback address.
//!
//! Numbers about a consortium are nobody's business outside the machine, and the page asks for no
//! password: so an address that others could reach is refused, not warned about.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::problem::{Exit, Problem};

/// A scraper keeps one connection; a few more for people.
const MOST_CONNECTIONS: usize = 8;
/// Bytes of a request's head; a scraper's has a few hundred.
const HEAD_BYTES: usize = 16 * 1024;
/// A request's head must be here by then.
const HEAD_SECONDS: u64 = 2;
/// A connection ends after this, whatever it does.
const CONNECTION_SECONDS: u64 = 60;
const TEXT: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// The page cannot be served.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExpositionError {
    /// Others than this machine could reach the address.
    NotLoopback {
        /// The address.
        listen: SocketAddr,
    },
    /// The address is taken or not this machine's.
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

impl fmt::Display for ExpositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback { listen } => {
                write!(f, "metrics are not served on {listen}: other machines could reach it")
            }
            Self::Listen { listen, .. } => write!(f, "cannot listen on {listen} for metrics"),
        }
    }
}

impl std::error::Error for ExpositionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotLoopback { .. } => None,
            Self::Listen { source, .. } => Some(source),
        }
    }
}

impl Problem for ExpositionError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotLoopback { .. } => "METRICS_NOT_LOOPBACK",
            Self::Listen { .. } => "LISTEN",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotLoopback { .. } => {
                "give an address of this machine alone, such as 127.0.0.1:9464".to_owned()
            }
            Self::Listen { .. } => {
                "stop the other process on that port, or give another port".to_owned()
            }
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NotLoopback { .. } => Exit::Usage,
            Self::Listen { .. } => Exit::Machine,
        }
    }
}

/// What the page shows.
pub trait Page: Send + Sync + 'static {
    /// The metrics as OpenMetrics text.
    fn metrics(&self) -> String;

    /// Whether the process can do its work.
    fn is_healthy(&self) -> bool;
}

/// A page that listens.
#[derive(Debug)]
pub struct Exposition {
    listener: TcpListener,
}

impl Exposition {
    /// Listens on an address of this machine alone.
    ///
    /// # Errors
    ///
    /// [`ExpositionError`] if others could reach the address, or it is taken.
    pub async fn bind(listen: SocketAddr) -> Result<Self, ExpositionError> {
        if !listen.ip().to_canonical().is_loopback() {
            return Err(ExpositionError::NotLoopback { listen });
        }
        let listener = TcpListener::bind(listen).await;
        listener
            .map(|listener| Self { listener })
            .map_err(|source| ExpositionError::Listen { listen, source })
    }

    /// The address it listens on.
    ///
    /// # Errors
    ///
    /// The socket's error.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers `GET /metrics` and `GET /healthz`, for as long as the process runs.
    pub async fn serve(self, page: Arc<dyn Page>) -> Infallible {
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            // Taken before the connection, so that more of them wait in the system's queue.
            let place = Arc::clone(&places).acquire_owned().await;
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let page = Arc::clone(&page);
                    tokio::spawn(async move {
                        answer(stream, page).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "metrics connection not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn answer(stream: TcpStream, page: Arc<dyn Page>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = respond(&request, page.as_ref());
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_SECONDS))
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    // How a reader of metrics went away is of no interest.
    drop(tokio::time::timeout(Duration::from_secs(CONNECTION_SECONDS), connection).await);
}

fn respond(request: &Request<Incoming>, page: &dyn Page) -> Response<Full<Bytes>> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (StatusCode::OK, page.metrics()),
        (&Method::GET, "/healthz") if page.is_healthy() => (StatusCode::OK, "ok\n".to_owned()),
        (&Method::GET, "/healthz") => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "not found\n".to_owned()),
    };
    let is_page = request.uri().path() == "/metrics" && status == StatusCode::OK;
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = if is_page { TEXT } else { HeaderValue::from_static("text/plain; charset=utf-8") };
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    struct Fixed {
        is_healthy: bool,
    }

    impl Page for Fixed {
        fn metrics(&self) -> String {
            "# EOF\n".to_owned()
        }

        fn is_healthy(&self) -> bool {
            self.is_healthy
        }
    }

    async fn served(is_healthy: bool) -> SocketAddr {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let exposition = Exposition::bind(free).await.unwrap();
        let address = exposition.address().unwrap();
        tokio::spawn(exposition.serve(Arc::new(Fixed { is_healthy })));
        address
    }

    async fn ask(address: SocketAddr, line: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn the_page_answers_two_questions_and_no_other() {
        let address = served(true).await;
        let page = ask(address, "GET /metrics").await;
        assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("# EOF\n"), "{page}");
        assert!(ask(address, "GET /healthz").await.starts_with("HTTP/1.1 200"));
        for other in ["GET /", "GET /metrics/", "POST /metrics", "GET /../metrics"] {
            assert!(ask(address, other).await.starts_with("HTTP/1.1 404"), "{other}");
        }
        let sick = served(false).await;
        assert!(ask(sick, "GET /healthz").await.starts_with("HTTP/1.1 503"));
    }

    #[tokio::test]
    async fn an_address_that_other_machines_reach_is_refused() {
        for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9464", "[::ffff:192.0.2.1]:9464"] {
            let refused = Exposition::bind(listen.parse().unwrap()).await.unwrap_err();
            assert_eq!(refused.code(), "METRICS_NOT_LOOPBACK", "{listen}");
        }
        let taken = served(true).await;
        let refused = Exposition::bind(taken).await.unwrap_err();
        assert_eq!(refused.code(), "LISTEN");
    }

    #[tokio::test]
    async fn readers_that_never_ask_do_not_lock_the_others_out() {
        let address = served(true).await;
        let mut silent = Vec::new();
        for _ in 0..MOST_CONNECTIONS {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let page = ask(address, "GET /metrics").await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    }
}
