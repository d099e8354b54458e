//! An HTTP server that may do what no honest PACS does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, sink};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What the server does with a request.
pub(crate) enum Reply {
    /// Answers with a status, fields and a body.
    Says(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Promises more bytes than it sends, and cuts the connection.
    Cuts(Vec<u8>),
    /// Sends chunk after chunk for as long as somebody reads.
    NeverEnds(&'static str),
    /// Sends a head, and then nothing.
    FallsSilent,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Says(status, Vec::new(), Vec::new())
    }

    pub(crate) fn json(body: impl Into<String>) -> Self {
        let kind = ("Content-Type", "application/dicom+json".to_owned());
        Self::Says(200, vec![kind], body.into().into_bytes())
    }

    /// One instance, as WADO-RS sends it.
    pub(crate) fn instance(bytes: &[u8]) -> Self {
        let part = "--B\r\nContent-Type: application/dicom\r\n\r\n";
        let body = [part.as_bytes(), bytes, b"\r\n--B--\r\n"].concat();
        Self::multipart(body)
    }

    pub(crate) fn multipart(body: Vec<u8>) -> Self {
        let kind = "multipart/related; type=\"application/dicom\"; boundary=B".to_owned();
        Self::Says(200, vec![("Content-Type", kind)], body)
    }
}

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: BTreeMap<String, String>,
}

impl Asked {
    pub(crate) fn is_wado(&self) -> bool {
        self.target.contains("/instances/")
    }

    /// A number in the query.
    pub(crate) fn number(&self, name: &str) -> usize {
        let (_, query) = self.target.split_once('?').unwrap_or_default();
        let value = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        value.and_then(|value| value.parse().ok()).unwrap_or_default()
    }
}

/// What the server saw.
#[derive(Default)]
pub(crate) struct Seen {
    asked: Mutex<Vec<Asked>>,
    pub(crate) connections: AtomicUsize,
    /// Bytes that somebody took.
    pub(crate) sent: AtomicU64,
}

impl Seen {
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, is_wanted: impl Fn(&Asked) -> bool) -> usize {
        self.asked().iter().filter(|asked| is_wanted(asked)).count()
    }
}

/// A server on this machine, for as long as its runtime lives.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) seen: Arc<Seen>,
}

impl Server {
    pub(crate) async fn start<A: Future<Output = Reply> + Send>(
        answer: impl Fn(Asked) -> A + Send + Sync + 'static,
    ) -> Self {
        Self::with(None, answer).await
    }

    pub(crate) async fn with<A: Future<Output = Reply> + Send>(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(Asked) -> A + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(Seen::default()));
        let (counted, answer) = (Arc::clone(&seen), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Head and body are written one after the other: neither waits until the other has arrived.
                let _ = stream.set_nodelay(true);
                counted.connections.fetch_add(1, Ordering::SeqCst);
                let (seen, answer, tls) = (Arc::clone(&counted), Arc::clone(&answer), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => converse(stream, &seen, answer.as_ref()).await,
                        Some(tls) => match tls.accept(stream).into_fallible().await {
                            Ok(stream) => converse(stream, &seen, answer.as_ref()).await,
                            // What it says of the other side arrives only where all that the other
                            // side still says is heard.
                            Err((_, mut stream)) => {
                                copy(&mut stream, &mut sink()).await.ok().map(drop)
                            }
                        },
                    }
                });
            }
        });
        Self { port, seen }
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin, A: Future<Output = Reply>>(
    mut stream: S,
    seen: &Seen,
    answer: &impl Fn(Asked) -> A,
) -> Option<()> {
    loop {
        let asked = hear(&mut stream).await?;
        seen.asked.lock().unwrap().push(asked.clone());
        match answer(asked).await {
            Reply::Says(status, fields, body) => {
                let mut head =
                    format!("HTTP/1.1 {status} Any\r\nContent-Length: {}\r\n", body.len());
                for (name, value) in fields {
                    write!(head, "{name}: {value}\r\n").unwrap();
                }
                stream.write_all(format!("{head}\r\n").as_bytes()).await.ok()?;
                stream.write_all(&body).await.ok()?;
            }
            Reply::Cuts(body) => {
                let length = body.len() + 1;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                stream.write_all(head.as_bytes()).await.ok()?;
                stream.write_all(&body).await.ok()?;
                return None;
            }
            Reply::NeverEnds(kind) => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await.ok()?;
                let chunk = format!("10000\r\n{}\r\n", "[".repeat(0x10000));
                loop {
                    stream.write_all(chunk.as_bytes()).await.ok()?;
                    seen.sent.fetch_add(chunk.len() as u64, Ordering::SeqCst);
                }
            }
            Reply::FallsSilent => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n").await.ok()?;
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The next request's head; `None` where the other side has gone.
async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let (first, fields) = head.split_once("\r\n").unwrap();
    let mut words = first.split(' ').map(str::to_owned);
    let fields = fields.lines().filter_map(|line| line.split_once(": "));
    Some(Asked {
        method: words.next()?,
        target: words.next()?,
        fields: fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
    })
}
