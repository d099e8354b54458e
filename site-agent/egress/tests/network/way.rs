//! The ways that lead to the coordinator, and the plain reasons for which none does.

use std::net::TcpListener;

use fedval_ambient::{Clock as _, MockClock, Problem as _, SystemClock};
use fedval_egress::{Coordinator, DialStep, EgressError, Proxy, ProxyCredentials, ProxyError};
use fedval_study::Sha256Digest;
use rcgen::DnType;

use crate::consortium::{Consortium, HIDDEN_NAME, serve, serve_a_while};
use crate::hospital::{Gateway, ProxyRules, Stranger, WebProxy};
use crate::{PATIENCE, at, failure, proxy};

#[tokio::test]
async fn the_coordinator_is_reached_without_a_proxy_and_tells_the_time() {
    let consortium = Consortium::new(1);
    let told = consortium.time(&at(consortium.serve().await)).await.unwrap();
    let now = SystemClock.now();
    assert!(told <= now && told.plus_seconds(300) > now, "{told} {now}");
    let config = consortium.server(&SystemClock);
    let port = serve(config, Some("Sun, 06 Nov 1994 08:49:37 GMT")).await;
    let told = consortium.time(&at(port)).await.unwrap();
    assert_eq!(told.to_string(), "1994-11-06T08:49:37Z");
}

#[tokio::test]
async fn a_proxy_leads_to_a_name_that_only_the_proxy_knows() {
    let consortium = Consortium::new(1);
    let hidden = Coordinator::at(&format!("https://{HIDDEN_NAME}")).unwrap();
    assert_eq!(failure(hidden.clone()).await.code(), "NAME_UNKNOWN");
    for opening in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\nProxy-agent: old/1.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ] {
        let rules = ProxyRules {
            opening: opening.to_owned(),
            ..ProxyRules::open(consortium.serve().await)
        };
        let web_proxy = WebProxy::start(rules).await;
        consortium.time(&hidden.clone().with_proxy(proxy(web_proxy.port))).await.unwrap();
        let [head] = &web_proxy.heads()[..] else { panic!("one request") };
        assert!(head.starts_with(&format!("CONNECT {HIDDEN_NAME}:443 HTTP/1.1\r\n")), "{head}");
        assert!(!head.to_lowercase().contains("authorization"), "{head}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_itself_spoken_to_by_tls_needs_an_authority_to_trust_it_by() {
    let consortium = Consortium::new(1);
    let (good, other) = (Gateway::called(&[(DnType::CommonName, "Proxies")]), Consortium::new(2));
    let rules = ProxyRules::open(consortium.serve().await);
    let web_proxy = WebProxy::start_with_tls(rules, good.server(&[])).await;
    let secure = Proxy::at(&format!("https://localhost:{}", web_proxy.port)).unwrap();
    let hidden = Coordinator::at(&format!("https://{HIDDEN_NAME}")).unwrap();

    let trusting = secure.clone().trusting(good.pem.as_bytes()).unwrap();
    consortium.time(&hidden.clone().with_proxy(trusting)).await.unwrap();
    let wrong = other.authority.root().to_pem();
    let trusting_others = secure.clone().trusting(wrong.as_bytes()).unwrap();
    for refused in [secure.clone(), trusting_others] {
        let error = failure(hidden.clone().with_proxy(refused)).await;
        assert_eq!((error.code(), error.step()), ("PROXY_CERTIFICATE", DialStep::Proxy));
    }
    assert_eq!(secure.trusting(b"no certificate").unwrap_err(), ProxyError::BadAuthority);
    // The wrong scheme is told too.
    let plain = failure(hidden.with_proxy(proxy(web_proxy.port))).await;
    assert_eq!(plain.code(), "PROXY_ANSWER");
}

#[tokio::test]
async fn nobody_there_is_told_with_the_step_that_failed() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = failure(at(free)).await;
    assert_eq!((error.code(), error.step()), ("COORDINATOR_UNREACHABLE", DialStep::Port));
    let error = failure(at(443).with_proxy(proxy(free))).await;
    assert_eq!((error.code(), error.step()), ("PROXY_UNREACHABLE", DialStep::Port));
    let nowhere = Proxy::at("http://proxy.invalid:3128").unwrap();
    let error = failure(at(443).with_proxy(nowhere)).await;
    assert_eq!((error.code(), error.step()), ("NAME_UNKNOWN", DialStep::Name));
    assert_eq!(error.to_string(), "the name proxy.invalid has no address here");
}

#[tokio::test]
async fn what_answers_instead_of_the_coordinator_is_told() {
    for (stranger, code) in [
        (Stranger::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "CAPTIVE_PAGE"),
        (Stranger::Says(b"\r\n<!DOCTYPE html><title>Sign in</title>"), "CAPTIVE_PAGE"),
        (Stranger::Says(b"SSH-2.0-OpenSSH_9.2\r\n"), "NOT_TLS"),
        // Fatal alerts: protocol_version, no_application_protocol, handshake_failure.
        (Stranger::Says(b"\x15\x03\x03\x00\x02\x02\x46"), "TLS_TOO_OLD"),
        (Stranger::Says(b"\x15\x03\x03\x00\x02\x02\x78"), "ALPN_MISSING"),
        (Stranger::Says(b"\x15\x03\x03\x00\x02\x02\x28"), "TLS_CUT"),
        (Stranger::Says(b""), "TLS_CUT"),
        (Stranger::Resets, "TLS_CUT"),
        (Stranger::IsSilent, "TLS_SILENT"),
    ] {
        let error = failure(at(stranger.start().await).with_patience(PATIENCE)).await;
        assert_eq!((error.code(), error.step()), (code, DialStep::Tls), "{error}");
    }
}

#[tokio::test]
async fn a_coordinator_without_http_2_is_told_before_a_request_is_lost_in_it() {
    let consortium = Consortium::new(1);
    let mut config = consortium.server(&SystemClock);
    config.alpn_protocols.clear();
    let error = failure(at(serve(config, None).await)).await;
    assert_eq!(error.code(), "ALPN_MISSING");
    assert!(error.exemption_request().is_some());
}

#[tokio::test]
async fn a_certificate_that_does_not_hold_now_is_told_with_both_times() {
    let consortium = Consortium::new(1);
    let past = MockClock::default();
    let future = MockClock::default();
    future.advance_seconds(40 * 365 * 24 * 3600);
    for (clock, year) in [(past, "2001-09-09T01:41:40Z"), (future, "2041-")] {
        let error = failure(at(serve(consortium.server(&clock), None).await)).await;
        let (text, now) = (error.to_string(), SystemClock.now().to_string());
        assert_eq!(error.code(), "CERTIFICATE_TIME");
        assert!(text.contains(&format!("holds from {year}")), "{text}");
        assert!(text.contains(&format!("clock says {}", &now[..10])), "{text}");
        assert!(error.remedy().unwrap().contains("clock"));
    }
}

#[tokio::test]
async fn a_certificate_for_other_names_is_told() {
    let port = Consortium::new(1).serve().await;
    let error = failure(Coordinator::at(&format!("https://127.0.0.1:{port}")).unwrap()).await;
    assert_eq!(error.code(), "WRONG_NAME");
}

#[tokio::test]
async fn a_connection_that_broke_says_what_stands_there_now() {
    let consortium = Consortium::new(1);
    let (port, mut server) = serve_a_while(consortium.server(&SystemClock), None).await;
    let connection = consortium.open(&at(port)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (digest, file) = (Sha256Digest::of(b"x"), folder.path().join("x"));
    let fetch = || connection.download(&digest, 1, &file);
    let error = fetch().await.unwrap_err();
    assert!(!matches!(error, EgressError::Dial(_)), "it is connected: {error:?}");
    server.shutdown().await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(Stranger::Says(b"HTTP/1.1 302 Found\r\n\r\n").serve(listener));
    let mut codes = Vec::new();
    for _ in 0..3 {
        let error = fetch().await.unwrap_err();
        assert!(error.is_passing(), "{error:?}");
        codes.push(error.code());
    }
    // The first call may still meet the end of the connection that broke.
    assert_eq!(codes.last(), Some(&"CAPTIVE_PAGE"), "{codes:?}");
}

#[test]
fn only_an_address_is_a_proxy_and_it_holds_no_secret() {
    for url in ["http://proxy.example.org:3128", "https://10.0.0.1:8080", "http://[::1]:3128/"] {
        let proxy = Proxy::at(url).unwrap();
        assert_eq!(proxy.to_string(), url.trim_end_matches('/'));
    }
    for url in [
        "",
        "proxy.example.org",
        "proxy.example.org:3128",
        "http://proxy.example.org",
        "socks5://proxy.example.org:1080",
        "http://proxy.example.org:3128/path",
        "http://:3128",
    ] {
        assert_eq!(Proxy::at(url).unwrap_err(), ProxyError::BadAddress, "{url:?}");
    }
    let refused = Proxy::at("http://dr-no:hunter2@proxy.example.org:3128").unwrap_err();
    assert_eq!(refused.code(), "PROXY_SECRET_IN_ADDRESS");
    assert!(!format!("{refused} {refused:?} {:?}", refused.remedy()).contains("hunter2"));
}

#[test]
fn credentials_are_one_line_and_are_never_shown() {
    for text in ["dr-no:hunter2", "dr-no:hunter2\n", "dr-no:hunter2\r\n", "dr-no:"] {
        let credentials = ProxyCredentials::parse(text).unwrap();
        let proxy = proxy(3128).with_credentials(credentials);
        let shown = format!("{proxy} {proxy:?} {:?}", at(443).with_proxy(proxy.clone()));
        for secret in ["hunter2", "dr-no", "ZHItbm8"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    for text in ["", ":hunter2", "hunter2", "a:b\nc:d", "a:b\u{1b}[0m", "\n"] {
        assert_eq!(ProxyCredentials::parse(text).unwrap_err(), ProxyError::BadCredentials);
    }
}
