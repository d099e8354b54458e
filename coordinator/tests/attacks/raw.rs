//! An HTTP/2 client that obeys nothing: frames as the attacker writes them, over real TLS.

use std::io;
use std::sync::Arc;

use fedval_trust::tls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::server::{Coordinator, Party};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_HEADERS: u8 = 4;

/// The frame that takes back a stream.
pub(crate) const CANCEL: [u8; 4] = [0, 0, 0, 8];

/// A connection that the server has let in.
pub(crate) struct Raw {
    pub(crate) read: ReadHalf<TlsStream<TcpStream>>,
    pub(crate) write: WriteHalf<TlsStream<TcpStream>>,
}

/// Connects with this configuration; nothing is sent yet.
pub(crate) async fn dial(
    coordinator: &Coordinator,
    config: ClientConfig,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", coordinator.port)).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

impl Raw {
    /// Connects as `party` and opens HTTP/2.
    pub(crate) async fn connect(coordinator: &Coordinator, party: &Party) -> io::Result<Self> {
        let root = coordinator.root();
        let config = tls::client_config(&root, &party.certificate, &party.key).unwrap();
        let (read, mut write) = tokio::io::split(dial(coordinator, config).await?);
        write.write_all(PREFACE).await?;
        let mut raw = Self { read, write };
        raw.send(&frame(SETTINGS, 0, 0, &[])).await?;
        Ok(raw)
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write.write_all(bytes).await?;
        self.write.flush().await
    }
}

/// Reads until the server says that it has had enough, or hangs up.
pub(crate) async fn is_sent_away(read: &mut ReadHalf<TlsStream<TcpStream>>) {
    loop {
        let mut head = [0; 9];
        if read.read_exact(&mut head).await.is_err() || head[3] == GOAWAY {
            return;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        if read.read_exact(&mut vec![0; length]).await.is_err() {
            return;
        }
    }
}

/// One frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The headers of a gRPC call, without Huffman coding and without the table.
pub(crate) fn headers(path: &str) -> Vec<u8> {
    // `:method: POST` and `:scheme: https` of the static table.
    let mut block = vec![0x83, 0x87];
    for (name, value) in [(4, path), (1, "localhost")] {
        block.push(name);
        block.extend(text(value));
    }
    for (name, value) in [("content-type", "application/grpc"), ("te", "trailers")] {
        block.push(0);
        block.extend(text(name));
        block.extend(text(value));
    }
    block
}

fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 127, "one byte of length");
    [&[length], text.as_bytes()].concat()
}
