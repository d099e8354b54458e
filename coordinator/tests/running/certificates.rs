//! The server's certificate is renewed and taken up without a restart.

use std::fs;

use fedval_ambient::{Clock as _, MockClock, OsEntropy, SystemClock};
use fedval_proto as proto;
use fedval_proto::operator_service_client::OperatorServiceClient;
use fedval_trust::{Certificate, Role, SecretKey, tls};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::server::Coordinator;

/// The certificate that the server shows to a new connection.
async fn shown(coordinator: &Coordinator) -> Certificate {
    let config = tls::enrolment_config(coordinator.root().fingerprint()).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", coordinator.port)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(std::sync::Arc::new(config));
    let stream = connector.connect(name, stream).await.unwrap();
    Certificate::from_der(&stream.get_ref().1.peer_certificates().unwrap()[0]).unwrap()
}

/// A certificate of `role` that the consortium issued so many days ago for 30 days.
fn issued(coordinator: &Coordinator, role: &Role, key: &SecretKey, days_ago: i64) -> Certificate {
    let now = SystemClock.now().plus_seconds(-days_ago * 24 * 3600);
    let clock = MockClock::default();
    clock.advance_seconds((now.unix_millis() - clock.now().unix_millis()) / 1000);
    let hosts = ["localhost".to_owned(), "192.0.2.7".to_owned()];
    coordinator.authority().issue(role, key, &hosts, 30, &clock, &OsEntropy).unwrap()
}

fn write(coordinator: &Coordinator, key: &SecretKey, certificate: &Certificate) {
    let pki = coordinator.home().join("pki");
    fs::write(pki.join("server.key"), key.to_pem()).unwrap();
    fs::write(pki.join("server.pem"), certificate.to_pem()).unwrap();
}

fn hang_up(coordinator: &Coordinator) {
    let pid = Pid::from_raw(i32::try_from(coordinator.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_at_half_life_with_its_key_and_hosts() {
    for days_ago in [16, 40] {
        let key = SecretKey::generate(&OsEntropy);
        let coordinator = Coordinator::serve_after(|coordinator| {
            write(coordinator, &key, &issued(coordinator, &Role::Server, &key, days_ago));
        });
        coordinator.logged("server certificate changed").await;
        let new = shown(&coordinator).await;
        assert_eq!(new.public_key(), key.public());
        assert_eq!(new.hosts().unwrap(), ["localhost", "192.0.2.7"]);
        assert!(new.half_life() > SystemClock.now());
        assert_eq!(coordinator.party("server").certificate, new);
        assert!(!coordinator.home().join("pki/server.pem.new").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_certificate_is_left_alone() {
    let coordinator = Coordinator::serve();
    let before = coordinator.party("server").certificate;
    hang_up(&coordinator);
    assert_eq!(shown(&coordinator).await, before);
    assert_eq!(coordinator.party("server").certificate, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_pair_is_taken_up_on_a_signal_and_calls_in_progress_go_on() {
    let coordinator = Coordinator::serve();
    let mut client =
        OperatorServiceClient::new(coordinator.channel(&coordinator.party("operator")));
    client.list_sites(proto::ListSitesRequest {}).await.unwrap();
    let key = SecretKey::generate(&OsEntropy);
    let new = issued(&coordinator, &Role::Server, &key, 0);
    write(&coordinator, &key, &new);
    hang_up(&coordinator);
    coordinator.logged("server certificate changed").await;
    assert_eq!(shown(&coordinator).await, new);
    client.list_sites(proto::ListSitesRequest {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_does_not_fit_is_not_taken_up_and_the_log_says_why() {
    let coordinator = Coordinator::serve();
    let before = coordinator.party("server");
    let (key, other) = (SecretKey::generate(&OsEntropy), SecretKey::generate(&OsEntropy));
    let fits = issued(&coordinator, &Role::Server, &key, 0);
    let site = Role::Site("site-a".parse().unwrap());
    for (certificate, why) in [
        (fits.to_pem(), "it belongs to another key"),
        (issued(&coordinator, &site, &other, 0).to_pem(), "it was not issued to a server"),
        (issued(&coordinator, &Role::Server, &other, 31).to_pem(), "not valid at that time"),
        ("nonsense".to_owned(), "not one that fedval issues"),
    ] {
        let pki = coordinator.home().join("pki");
        fs::write(pki.join("server.key"), other.to_pem()).unwrap();
        fs::write(pki.join("server.pem"), certificate).unwrap();
        hang_up(&coordinator);
        coordinator.logged(why).await;
        assert_eq!(shown(&coordinator).await, before.certificate, "{why}");
    }
    write(&coordinator, &key, &fits);
    hang_up(&coordinator);
    coordinator.logged("server certificate changed").await;
    assert_eq!(shown(&coordinator).await, fits);
}
