//! One handshake: it ends in a connection that speaks HTTP/2, or in a reason that is counted.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use fedval_trust::tls;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, CertificateError, ServerConfig};
use tokio_rustls::server::TlsStream;

/// A peer that has not finished by then is dropped.
const LONGEST_SECONDS: u32 = 10;
/// While many wait, slow ones make room after this: an honest one took a few round trips.
const CROWDED_SECONDS: u32 = 2;

/// Why a handshake failed; a metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reason(pub(super) &'static str);

/// Shakes hands. `places` are those of all handshakes in progress, `of` so many.
pub(super) async fn shake(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    places: &Semaphore,
    of: usize,
) -> Result<TlsStream<TcpStream>, Reason> {
    let handshake = TlsAcceptor::from(config).accept(stream);
    let stream = tokio::select! {
        done = handshake => done.map_err(|error| reason(&error))?,
        reason = too_long(places, of) => return Err(reason),
    };
    // A peer that names no protocol would otherwise be guessed to speak ours.
    if stream.get_ref().1.alpn_protocol() == Some(tls::ALPN) {
        Ok(stream)
    } else {
        Err(Reason("no_http2"))
    }
}

async fn too_long(places: &Semaphore, of: usize) -> Reason {
    for second in 1..LONGEST_SECONDS {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if second >= CROWDED_SECONDS && places.available_permits() < of / 2 {
            return Reason("crowded");
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    Reason("timeout")
}

fn reason(error: &io::Error) -> Reason {
    use rustls::Error as Tls;
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>());
    Reason(match tls {
        Some(Tls::InvalidCertificate(problem)) => certificate_reason(problem),
        Some(Tls::NoCertificatesPresented) => "client_certificate",
        Some(Tls::PeerIncompatible(_)) => "protocol_version",
        Some(Tls::NoApplicationProtocol) => "no_http2",
        Some(Tls::AlertReceived(_)) => "refused_by_peer",
        Some(Tls::InvalidMessage(_)) => "not_tls",
        Some(_) => "tls",
        None => "connection",
    })
}

/// A site whose certificate ran out is told apart from a stranger.
const fn certificate_reason(problem: &CertificateError) -> &'static str {
    match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "client_certificate_expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "client_certificate_not_yet_valid"
        }
        CertificateError::UnknownIssuer => "client_certificate_foreign",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "client_certificate_wrong_use"
        }
        // Another authority of the same name, or another key than the certified one.
        CertificateError::BadSignature => "client_certificate_forged",
        _ => "client_certificate",
    }
}
