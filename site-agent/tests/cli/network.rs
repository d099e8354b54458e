//! What `check` and `enrol` say of the network that a site stands in.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use serde_json::Value;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::agent::{Machine, Ran};

const SECRET: &str = "hunter2";

/// A machine that goes through a proxy with credentials.
fn behind(proxy: u16) -> Machine {
    let machine = Machine::enrolled();
    let file = machine.path("proxy.credentials");
    fs::write(&file, format!("dr-no:{SECRET}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let lines = format!(
        "proxy = \"http://127.0.0.1:{proxy}\"\nproxy_credentials = \"{}\"\n\n[[data_sources]]",
        file.display()
    );
    machine.replace("agent.toml", "[[data_sources]]\n", &(lines + "\n"));
    machine
}

/// Answers everybody so; its port.
fn answering(words: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            // Whoever hangs up early is a failure of the test that did.
            let _ = stream.read(&mut request).and_then(|_| stream.write(words.as_bytes()));
        }
    });
    port
}

/// A gateway that opens TLS with an authority of its own; its port.
fn gateway() -> u16 {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "Example Hospital Web Gateway");
    let certificate = params.self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((stream, _)) = listener.accept().await {
                drop(acceptor.accept(stream).await);
            }
        });
    });
    port
}

fn row(ran: &Ran, what: &str) -> Value {
    let checks = ran.json()["checks"].clone();
    let found = checks.as_array().unwrap().iter().find(|check| check["check"] == what);
    found.unwrap_or_else(|| panic!("no {what} in {checks}")).clone()
}

#[test]
fn f11_check_says_at_which_step_a_proxy_stops_it_and_shows_no_credential() {
    for (words, step, code) in [
        ("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n", "proxy", "PROXY_AUTHENTICATION"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "proxy", "PROXY_CANNOT_REACH"),
        ("HTTP/1.1 302 Found\r\n\r\n", "proxy", "CAPTIVE_PAGE"),
        ("HTTP/1.1 200 OK\r\n\r\n<html>Sign in</html>", "TLS", "CAPTIVE_PAGE"),
    ] {
        let machine = behind(answering(words));
        let ran = machine.run(&["check", "--json", "--log", "trace"]);
        assert_eq!(row(&ran, "port")["holds"], true, "{words}");
        let failed = row(&ran, step);
        assert_eq!((&failed["holds"], &failed["code"]), (&false.into(), &code.into()), "{words}");
        for later in ["clock", "coordinator"] {
            assert_eq!(row(&ran, later)["holds"], Value::Null, "{words}");
        }
        for secret in [SECRET, "dr-no", "ZHItbm86aHVudGVyMg"] {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{ran:?}");
        }
    }
}

#[test]
fn f12_check_prints_the_request_to_the_network_team_in_full() {
    let machine = Machine::enrolled();
    let port = gateway();
    machine.replace("agent.toml", "https://127.0.0.1:9", &format!("https://127.0.0.1:{port}"));
    let ran = machine.run(&["check", "--json"]);
    let tls = row(&ran, "TLS");
    assert_eq!(tls["code"], "TLS_INTERCEPTED");
    assert!(tls["problem"].as_str().unwrap().contains("CN=Example Hospital Web Gateway"), "{tls}");
    let request = ran.json()["request_to_network_team"].as_str().unwrap().to_owned();
    assert!(request.contains(&format!("exempt 127.0.0.1:{port} from TLS inspection")), "{request}");
    let text = machine.run(&["check"]).out;
    assert!(text.contains("For your network team:") && text.contains(&request), "{text}");
}

#[test]
fn f12_a_machine_that_enrols_is_told_who_opens_tls() {
    let machine = Machine::empty();
    let url = format!("https://127.0.0.1:{}", gateway());
    let token = format!("fv1-{}-{}-{}", "0".repeat(16), "0".repeat(64), "0".repeat(64));
    let ran = machine.run(&["enrol", "--coordinator", &url, "--token", &token]);
    ran.stops(3, "TLS_INTERCEPTED");
    assert!(ran.err.contains("CN=Example Hospital Web Gateway"), "{ran:?}");
    assert!(!machine.path("agent.toml").exists());
}

#[test]
fn enrolment_refuses_settings_of_a_proxy_that_cannot_work_before_it_makes_anything() {
    let machine = Machine::empty();
    let credentials = machine.path("credentials");
    machine.write("credentials", "dr-no:hunter2\n");
    fs::set_permissions(&credentials, fs::Permissions::from_mode(0o644)).unwrap();
    let credentials = credentials.to_str().unwrap();
    let token = format!("fv1-{}-{}-{}", "0".repeat(16), "0".repeat(64), "0".repeat(64));
    let enrol = |more: &[&str]| {
        let args = ["enrol", "--coordinator", "https://localhost:9", "--token", &token];
        machine.run(&[&args, more].concat())
    };
    let secret = "http://dr-no:hunter2@127.0.0.1:3128";
    let ran = enrol(&["--proxy", secret]);
    ran.stops(2, "PROXY_SECRET_IN_ADDRESS");
    assert!(!ran.err.contains(SECRET));
    enrol(&["--proxy", "proxy.test"]).stops(2, "PROXY_INVALID");
    let open = enrol(&["--proxy", "http://127.0.0.1:9", "--proxy-credentials", credentials]);
    open.stops(2, "PROXY_CREDENTIALS_OPEN");
    assert_eq!(enrol(&["--proxy-credentials", credentials]).code, Some(2), "it needs a proxy");
    assert_eq!(fs::read_dir(machine.home()).unwrap().count(), 1);
}
