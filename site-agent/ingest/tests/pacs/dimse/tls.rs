//! Associations over TLS, in both directions. The peer itself speaks without: a forwarder stands between.

use std::sync::Arc;

use dicom_dictionary_std::uids::{COMPUTED_RADIOGRAPHY_IMAGE_STORAGE as CLASS, JPEG2000_LOSSLESS};
use fedval_ingest::{DimseSettings, Pacs, PacsError};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore, version};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{copy, copy_bidirectional, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::moving::{TITLES, free_port, moving_settings, with_move};
use super::peer::{Peer, bring};
use super::{DATA, honest_get, is_image, settings, with_get};
use crate::tls::{Authority, acceptor, authority, certified};
use crate::{INSTANCE, instance};

/// TLS in front of a peer that has none.
async fn in_front_of(peer: &Peer, authority: &Authority) -> u16 {
    let acceptor = acceptor(authority, "localhost", &[&version::TLS12, &version::TLS13], true);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, behind) = (listener.local_addr().unwrap().port(), peer.port);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut outside = match acceptor.accept(stream).into_fallible().await {
                    Ok(outside) => outside,
                    // What it says of the other side arrives only where that is heard to its end.
                    Err((_, mut stream)) => {
                        let _ = copy(&mut stream, &mut sink()).await;
                        return;
                    }
                };
                let mut inside = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                let _ = copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    port
}

/// The way of a peer that has no TLS to a listener that has: with a certificate for a host, or without.
async fn way_to(port: u16, trusted: &Authority, shown: Option<(&Authority, &str)>) -> u16 {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        None => builder.with_no_client_auth(),
        Some((authority, host)) => {
            let (certificate, key) = certified(authority, host);
            let chain = vec![CertificateDer::from_pem_slice(&certificate).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(&key).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let connector = TlsConnector::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut inside, _)) = listener.accept().await {
            let connector = connector.clone();
            tokio::spawn(async move {
                let outside = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let name = ServerName::try_from("localhost").unwrap();
                let Ok(mut outside) = connector.connect(name, outside).await else { return };
                let _ = copy_bidirectional(&mut inside, &mut outside).await;
            });
        }
    });
    own
}

fn secured(settings: DimseSettings, port: u16, trusted: &Authority, own: &Authority) -> Pacs {
    let settings = DimseSettings {
        address: format!("localhost:{port}"),
        without_tls: false,
        authorities: trusted.pem().into_bytes(),
        identity: Some(certified(own, "localhost")),
        ..settings
    };
    Pacs::by_dimse(settings).unwrap()
}

#[tokio::test]
async fn a_pacs_that_the_named_authority_certified_is_asked_and_no_other() {
    let (mine, foreign) = (authority(), authority());
    let peer = with_get(honest_get);
    let port = in_front_of(&peer, &mine).await;
    let pacs = secured(settings(peer.port), port, &mine, &mine);
    assert!(is_image(&pacs.fetch(&instance()).await.unwrap(), JPEG2000_LOSSLESS));
    let untrusted = secured(settings(peer.port), port, &foreign, &mine);
    assert_eq!(untrusted.check().await, Err(PacsError::Certificate));
    let refused = secured(settings(peer.port), port, &mine, &foreign);
    assert_eq!(refused.check().await, Err(PacsError::IdentityRefused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a36_what_is_brought_comes_over_tls_with_the_pacss_own_certificate() {
    let (mine, foreign) = (authority(), authority());
    let port = free_port().await;
    let ways = [
        way_to(port, &mine, None).await,
        way_to(port, &mine, Some((&foreign, "localhost"))).await,
        // Of the same authority, and another machine's.
        way_to(port, &mine, Some((&mine, "workstation.test"))).await,
        way_to(port, &mine, Some((&mine, "localhost"))).await,
    ];
    let peer = with_move(0, move || {
        let statuses = [port, ways[0], ways[1], ways[2], ways[3]]
            .map(|way| bring(way, TITLES, CLASS, JPEG2000_LOSSLESS, INSTANCE, DATA));
        assert_eq!(statuses, [None, None, None, None, Some(0)]);
    });
    let in_front = in_front_of(&peer, &mine).await;
    let pacs = secured(moving_settings(&peer, port), in_front, &mine, &mine);
    assert!(is_image(&pacs.fetch(&instance()).await.unwrap(), JPEG2000_LOSSLESS));
}

#[test]
fn images_are_not_brought_over_tls_without_a_certificate_of_the_agents() {
    let authority = authority();
    let peer = with_get(honest_get);
    let settings = DimseSettings {
        without_tls: false,
        authorities: authority.pem().into_bytes(),
        ..moving_settings(&peer, 11112)
    };
    assert_eq!(Pacs::by_dimse(settings).err(), Some(PacsError::BadIdentity));
}
