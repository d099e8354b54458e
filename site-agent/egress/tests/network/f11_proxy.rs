//! F11: a proxy answers 407, 403, 502 or a page. A clear code each, and no credential anywhere.

use std::io::Write;
use std::sync::{Arc, Mutex};

use fedval_ambient::Problem as _;
use fedval_egress::{Coordinator, DialError, DialStep, ProxyAsks, ProxyCredentials};
use tracing_subscriber::fmt::MakeWriter;

use crate::consortium::{Consortium, HIDDEN_NAME};
use crate::hospital::{ProxyRules, Stranger, WebProxy, answer};
use crate::{PATIENCE, at, failure, proxy};

const USER: &str = "svc-fedval";
const PASSWORD: &str = "correct:horse";
/// Base64 of the two with a colon between.
const ENCODED: &str = "c3ZjLWZlZHZhbDpjb3JyZWN0OmhvcnNl";

fn credentials() -> ProxyCredentials {
    ProxyCredentials::parse(&format!("{USER}:{PASSWORD}\n")).unwrap()
}

/// Everything that any crate logs, at its most talkative.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn assert_secret_free(text: &str) {
    for secret in [USER, PASSWORD, "horse", ENCODED] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

/// Everything a person or a log may see of an error.
fn shown(error: &DialError) -> String {
    format!(
        "{error} {error:?} {} {:?} {:?}",
        error.code(),
        error.remedy(),
        error.exemption_request()
    )
}

async fn refusal(text: String) -> DialError {
    let proxy = proxy(WebProxy::start(ProxyRules::refusing(text)).await.port);
    failure(at(443).with_proxy(proxy.with_credentials(credentials()))).await
}

#[tokio::test]
async fn f11_credentials_reach_the_proxy_and_nobody_else() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter("trace").with_writer(log.clone()).try_init();
    assert!(subscriber.is_ok(), "this test alone listens to the log");
    let consortium = Consortium::new(1);
    let rules = ProxyRules {
        authorization: Some(format!("Basic {ENCODED}")),
        ..ProxyRules::open(consortium.serve().await)
    };
    let web_proxy = WebProxy::start(rules).await;
    let hidden = Coordinator::at(&format!("https://{HIDDEN_NAME}")).unwrap();
    let through = |credentials: &str| {
        let credentials = ProxyCredentials::parse(credentials).unwrap();
        hidden.clone().with_proxy(proxy(web_proxy.port).with_credentials(credentials))
    };
    consortium.time(&through(&format!("{USER}:{PASSWORD}"))).await.unwrap();
    assert!(web_proxy.heads()[0].contains(ENCODED));

    let wrong = failure(through(&format!("{USER}:{PASSWORD}x"))).await;
    let none = failure(hidden.clone().with_proxy(proxy(web_proxy.port))).await;
    for (error, expected) in [(wrong, ProxyAsks::OtherCredentials), (none, ProxyAsks::Credentials)]
    {
        let DialError::ProxyAuthentication { asks, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*asks, expected);
        assert!(error.remedy().unwrap().contains("proxy_credentials"));
        assert_secret_free(&shown(&error));
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("TRACE"), "something was logged: {log}");
    assert_secret_free(&log);
}

#[tokio::test]
async fn f11_a_proxy_that_wants_ntlm_or_kerberos_is_told_with_the_helper_that_speaks_it() {
    for offer in
        ["NTLM", "Negotiate", "Negotiate\r\nProxy-Authenticate: NTLM", "Digest realm=\"x\""]
    {
        let header = format!("Proxy-Authenticate: {offer}");
        let error = refusal(answer("407 Proxy Authentication Required", &header)).await;
        let DialError::ProxyAuthentication { asks, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*asks, ProxyAsks::AnotherScheme, "{offer}");
        assert!(error.remedy().unwrap().contains("cntlm"));
    }
    let both = "Proxy-Authenticate: NTLM\r\nProxy-Authenticate: basic realm=\"x\"";
    let error = refusal(answer("407 Proxy Authentication Required", both)).await;
    let DialError::ProxyAuthentication { asks, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*asks, ProxyAsks::OtherCredentials);
}

#[tokio::test]
async fn f11_each_answer_of_a_proxy_has_its_own_code() {
    for (status, code) in [
        ("407 Proxy Authentication Required", "PROXY_AUTHENTICATION"),
        ("403 Forbidden", "PROXY_FORBIDS"),
        ("502 Bad Gateway", "PROXY_CANNOT_REACH"),
        ("503 Service Unavailable", "PROXY_CANNOT_REACH"),
        ("504 Gateway Timeout", "PROXY_CANNOT_REACH"),
        ("302 Found", "CAPTIVE_PAGE"),
        ("511 Network Authentication Required", "CAPTIVE_PAGE"),
        ("405 Method Not Allowed", "PROXY_ANSWER"),
        ("404 Not Found", "PROXY_ANSWER"),
    ] {
        let error = refusal(answer(status, "Location: http://sign-in.example.org/")).await;
        assert_eq!((error.code(), error.step()), (code, DialStep::Proxy), "{status}");
        assert_secret_free(&shown(&error));
    }
    let error = refusal("220 mail.example.org ESMTP\r\n".to_owned()).await;
    assert_eq!(error.code(), "PROXY_ANSWER");
}

#[tokio::test]
async fn f11_a_sign_in_page_is_recognised_wherever_it_stands() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Sign in</html>";
    // A portal that answers for every address; one that a proxy leads to; one that is the proxy.
    let portal = Stranger::Says(page.as_bytes()).start().await;
    let behind = WebProxy::start(ProxyRules::open(portal)).await;
    let through = |port| at(443).with_proxy(proxy(port).with_credentials(credentials()));
    for coordinator in [at(portal), through(behind.port), through(portal)] {
        let error = failure(coordinator).await;
        assert_eq!(error.code(), "CAPTIVE_PAGE", "{error:?}");
        assert!(error.remedy().unwrap().contains("browser"));
        assert_secret_free(&shown(&error));
    }
}

#[tokio::test]
async fn f11_a_proxy_that_says_nothing_is_not_waited_for_for_ever() {
    let silent = proxy(Stranger::IsSilent.start().await);
    let error = failure(at(443).with_proxy(silent).with_patience(PATIENCE)).await;
    assert_eq!((error.code(), error.step()), ("PROXY_CANNOT_REACH", DialStep::Proxy));
    let cut = proxy(Stranger::Resets.start().await);
    assert_eq!(failure(at(443).with_proxy(cut)).await.code(), "PROXY_ANSWER");
}
