//! Requests for pages as a program sends them: no redirect is followed, no cookie is kept.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use fedval_trust::{Certificate, SecretKey, tls};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN};
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::runtime::Runtime;
use tokio_rustls::rustls::ClientConfig;

/// Where the pages of tests are served, by the name in their certificate.
const HOST_NAME: &str = "127.0.0.1";

/// A client of the pages of one coordinator.
#[derive(Debug)]
pub struct PageClient {
    runtime: Runtime,
    tls: Arc<ClientConfig>,
    port: u16,
}

/// What was answered.
#[derive(Debug)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body; of a stream that does not end, its first event.
    pub body: Vec<u8>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// GET, POST or another.
    pub method: &'a str,
    /// From the `/` on.
    pub path: &'a str,
    /// As a browser writes them into their header; empty for none.
    pub cookies: &'a str,
    /// The fields of a form as browsers encode them; empty for none.
    pub form: &'a str,
    /// The origin of the page that sends it; empty where none is named.
    pub origin: &'a str,
}

impl<'a> Asked<'a> {
    /// Reads a page.
    #[must_use]
    pub const fn read(path: &'a str, cookies: &'a str) -> Self {
        Self { method: "GET", path, cookies, form: "", origin: "" }
    }

    /// Sends a form.
    #[must_use]
    pub const fn sent(path: &'a str, cookies: &'a str, form: &'a str) -> Self {
        Self { method: "POST", path, cookies, form, origin: "" }
    }

    fn request(&self, port: u16) -> Request<Full<Bytes>> {
        let method = Method::from_bytes(self.method.as_bytes()).expect("a method");
        let mut request = Request::builder().method(method).uri(self.path);
        request = request.header(HOST, format!("{HOST_NAME}:{port}"));
        if !self.cookies.is_empty() {
            request = request.header(COOKIE, self.cookies);
        }
        if !self.origin.is_empty() {
            request = request.header(ORIGIN, self.origin);
        }
        if !self.form.is_empty() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        request.body(Full::from(self.form.to_owned())).expect("a request")
    }
}

impl Page {
    /// A header, empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where it leads to; empty where it leads nowhere.
    #[must_use]
    pub fn leads_to(&self) -> &str {
        self.header("location")
    }

    /// The cookie that it sets, as a browser sends it back; empty where it sets none.
    #[must_use]
    pub fn cookie(&self) -> &str {
        self.header("set-cookie").split(';').next().unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    async fn of(response: Response<Incoming>) -> Self {
        let (head, mut rest) = response.into_parts();
        let mut page =
            Self { status: head.status.as_u16(), headers: head.headers, body: Vec::new() };
        let is_endless = page.header("content-type").starts_with("text/event-stream");
        while let Some(frame) = rest.frame().await {
            let frame = frame.expect("the body comes to its end");
            if let Ok(piece) = frame.into_data() {
                page.body.extend_from_slice(&piece);
            }
            if is_endless && page.body.ends_with(b"\n\n") {
                break;
            }
        }
        page
    }
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

impl PageClient {
    /// A client that knows the certificate which the coordinator with this folder made for its pages.
    ///
    /// # Panics
    ///
    /// If it made none.
    #[must_use]
    pub fn new(coordinator: &Path, port: u16) -> Self {
        let certificate = text(&coordinator.join("pki/pages.pem"));
        let config = tls::proxy_config(certificate.as_bytes()).expect("a certificate");
        let runtime = Runtime::new().expect("threads");
        Self { runtime, tls: Arc::new(config), port }
    }

    /// The same that shows the certificate of the site whose agent has the folder `site`, to whoever asks for one.
    ///
    /// # Panics
    ///
    /// If it has none.
    #[must_use]
    pub fn of_site(coordinator: &Path, port: u16, site: &Path) -> Self {
        let mut client = Self::new(coordinator, port);
        let pem = |path: &Path| Certificate::from_pem(&text(path)).expect("a certificate");
        let key = SecretKey::from_pem(&text(&site.join("site.key"))).expect("a key");
        let root = pem(&coordinator.join("pki/root.pem"));
        let shown = tls::client_config(&root, &pem(&site.join("site.pem")), &key).expect("a pair");
        let mut config = ClientConfig::clone(&client.tls);
        config.client_auth_cert_resolver = Arc::clone(&shown.client_auth_cert_resolver);
        client.tls = Arc::new(config);
        client
    }

    /// Asks, on a connection of its own.
    ///
    /// # Panics
    ///
    /// If no whole answer comes.
    #[must_use]
    pub fn ask(&self, asked: Asked<'_>) -> Page {
        let request = asked.request(self.port);
        self.runtime.block_on(async {
            let stream = tls::dial(Arc::clone(&self.tls), HOST_NAME, self.port).await;
            let stream = TokioIo::new(stream.expect("the pages are served"));
            let (mut sender, connection) =
                http1::handshake::<_, Full<Bytes>>(stream).await.expect("HTTP/1.1");
            let talk = tokio::spawn(connection);
            let response = sender.send_request(request).await;
            let page = Page::of(response.expect("an answer")).await;
            talk.abort();
            page
        })
    }

    /// Reads a page.
    #[must_use]
    pub fn read(&self, path: &str, cookies: &str) -> Page {
        self.ask(Asked::read(path, cookies))
    }
}
