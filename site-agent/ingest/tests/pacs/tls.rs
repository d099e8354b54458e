//! A PACS is trusted by the authority that its hospital names, and no other.

use std::future::pending;
use std::sync::Arc;

use fedval_ambient::Problem as _;
use fedval_ingest::{Pacs, PacsError, PacsSettings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncWriteExt as _, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::server::Server;
use super::{honest_query, settings};

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key in PEM.
pub(crate) fn certified(authority: &Authority, name: &str) -> (Vec<u8>, Vec<u8>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.pem().into_bytes(), key.serialize_pem().into_bytes())
}

pub(crate) fn acceptor(
    authority: &Authority,
    name: &str,
    versions: &[&'static SupportedProtocolVersion],
    asks_for_certificate: bool,
) -> TlsAcceptor {
    let (certificate, key) = certified(authority, name);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_protocol_versions(versions).unwrap();
    let builder = if asks_for_certificate {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let chain = vec![CertificateDer::from_pem_slice(&certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&key).unwrap();
    TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()))
}

async fn pacs_of(
    authority: &Authority,
    name: &str,
    versions: &[&'static SupportedProtocolVersion],
    asks_for_certificate: bool,
) -> Server {
    let acceptor = acceptor(authority, name, versions, asks_for_certificate);
    Server::with(Some(acceptor), |asked| async move { honest_query(&asked) }).await
}

/// Settings for a server, trusting an authority.
fn trusting(server: &Server, authority: &Authority) -> PacsSettings {
    let url = format!("https://localhost:{}/dicom-web", server.port);
    PacsSettings { authorities: authority.pem().into_bytes(), ..settings(url) }
}

async fn check(settings: PacsSettings) -> Result<(), PacsError> {
    Pacs::new(settings)?.check().await
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_with_a_pacs_that_the_named_authority_certified() {
    let authority = authority();
    for versions in [&[&version::TLS12][..], &[&version::TLS13]] {
        let server = pacs_of(&authority, "localhost", versions, false).await;
        assert_eq!(check(trusting(&server, &authority)).await, Ok(()));
    }
}

#[tokio::test]
async fn a_pacs_with_another_authority_or_another_name_is_not_asked() {
    let (mine, foreign) = (authority(), authority());
    let versions = &[&version::TLS13][..];
    let server = pacs_of(&foreign, "localhost", versions, false).await;
    assert_eq!(check(trusting(&server, &mine)).await, Err(PacsError::Certificate));
    let named = pacs_of(&mine, "elsewhere.test", versions, false).await;
    assert_eq!(check(trusting(&named, &mine)).await, Err(PacsError::Certificate));
    assert!(!PacsError::Certificate.is_passing());
    assert!(server.seen.asked().is_empty() && named.seen.asked().is_empty());
}

#[tokio::test]
async fn a_pacs_that_asks_for_a_certificate_is_shown_it() {
    let (mine, foreign) = (authority(), authority());
    // The older version refuses in the handshake, the newer one when the agent already asks.
    for versions in [&[&version::TLS12][..], &[&version::TLS13]] {
        let server = pacs_of(&mine, "localhost", versions, true).await;
        let without = trusting(&server, &mine);
        let with = |authority: &Authority| {
            let identity = Some(certified(authority, "agent.test"));
            PacsSettings { identity, ..without.clone() }
        };
        assert_eq!(check(with(&mine)).await, Ok(()));
        assert_eq!(check(with(&foreign)).await, Err(PacsError::IdentityRefused));
        assert_eq!(check(without.clone()).await, Err(PacsError::IdentityRefused));
    }
    let refused = PacsError::IdentityRefused;
    assert_eq!((refused.code(), refused.is_passing()), ("PACS_IDENTITY_REFUSED", false));
}

/// Listens, and does this with each connection.
async fn listening<D: Future<Output = ()> + Send + 'static>(
    deal: impl Fn(TcpStream) -> D + Send + 'static,
) -> PacsSettings {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            deal(stream).await;
        }
    });
    PacsSettings { authorities: authority().pem().into_bytes(), ..settings(url) }
}

#[tokio::test]
async fn what_goes_wrong_before_a_certificate_is_shown_is_no_matter_of_certificates() {
    let hangs_up = listening(|stream| async { drop(stream) }).await;
    assert_eq!(check(hangs_up).await, Err(PacsError::Unreachable));
    let speaks_no_tls = listening(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        // Until the other side has gone: what was said would else be lost with the connection.
        let _ = copy(&mut stream, &mut sink()).await;
    });
    assert_eq!(check(speaks_no_tls.await).await, Err(PacsError::Unreachable));
}

/// The clock stands still while anything else happens, and jumps where nothing does.
#[tokio::test(start_paused = true)]
async fn a_pacs_that_takes_a_connection_and_shakes_no_hand_is_not_there() {
    let silent = listening(|stream| async move {
        pending::<()>().await;
        drop(stream);
    });
    assert_eq!(check(silent.await).await, Err(PacsError::Unreachable));
}

#[test]
fn certificates_that_are_none_are_told_before_anybody_is_asked() {
    let authority = authority();
    let (certificate, key) = certified(&authority, "agent.test");
    let (_, other_key) = certified(&authority, "other.test");
    let settings = PacsSettings {
        authorities: authority.pem().into_bytes(),
        ..settings("https://localhost".to_owned())
    };
    let code = |settings: PacsSettings| Pacs::new(settings).err().map(|error| error.code());
    assert_eq!(code(settings.clone()), None);
    let none = PacsSettings { authorities: b"no certificate".to_vec(), ..settings.clone() };
    assert_eq!(code(none), Some("PACS_CA_INVALID"));
    for identity in [(certificate.clone(), other_key), (certificate, Vec::new()), (Vec::new(), key)]
    {
        let wrong = PacsSettings { identity: Some(identity), ..settings.clone() };
        assert_eq!(code(wrong), Some("PACS_IDENTITY_INVALID"));
    }
}
