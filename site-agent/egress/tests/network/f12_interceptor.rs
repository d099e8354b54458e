//! F12: a gateway opens TLS with an authority of its own. The agent stops, and names it.

use fedval_ambient::{Problem as _, SeededEntropy};
use fedval_egress::{DialError, EgressError, enrol};
use fedval_trust::{Fingerprint, InviteToken, SecretKey};
use rcgen::DnType;

use crate::consortium::{Consortium, serve};
use crate::hospital::{Gateway, ProxyRules, WebProxy};
use crate::{at, failure, proxy};

fn example_gateway() -> Gateway {
    Gateway::called(&[
        (DnType::OrganizationName, "Example Hospital"),
        (DnType::CommonName, "Example Hospital Web Gateway"),
    ])
}

fn token(root: Fingerprint) -> InviteToken {
    InviteToken::generate(&SeededEntropy::new(5), root)
}

#[tokio::test]
async fn f12_a_gateway_that_opens_tls_is_named_and_refused() {
    let gateway = example_gateway();
    for alpn in [&[b"h2".as_slice()][..], &[]] {
        let port = serve(gateway.server(alpn), None).await;
        let error = failure(at(port)).await;
        assert_eq!(error.code(), "TLS_INTERCEPTED");
        assert!(error.to_string().contains("CN=Example Hospital Web Gateway"), "{error}");
        assert!(error.remedy().unwrap().contains(&format!("exempt localhost:{port}")));
        let request = error.exemption_request().unwrap();
        assert!(
            request.starts_with(&format!("Please exempt localhost:{port} from TLS inspection"))
        );
        assert!(request.contains("CN=Example Hospital Web Gateway"), "{request}");
    }
}

#[tokio::test]
async fn f12_a_gateway_behind_a_proxy_is_named_too() {
    let port = serve(example_gateway().server(&[b"h2"]), None).await;
    let web_proxy = WebProxy::start(ProxyRules::open(port)).await;
    let error = failure(at(443).with_proxy(proxy(web_proxy.port))).await;
    let DialError::Intercepted { issuer, .. } = &error else { panic!("{error:?}") };
    assert!(issuer.contains("Example Hospital Web Gateway"), "{issuer}");
}

#[tokio::test]
async fn f12_a_gateway_that_offers_only_http_1_is_told_by_what_it_does_not_offer() {
    let port = serve(example_gateway().server(&[b"http/1.1"]), None).await;
    let error = failure(at(port)).await;
    assert_eq!(error.code(), "ALPN_MISSING");
    assert!(error.exemption_request().unwrap().contains("no offer of HTTP/2"));
}

#[tokio::test]
async fn f12_a_site_that_enrols_names_the_gateway_and_keeps_its_token() {
    let port = serve(example_gateway().server(&[b"h2"]), None).await;
    let key = SecretKey::generate(&SeededEntropy::new(4));
    let root = Consortium::new(1).authority.root().fingerprint();
    let error = enrol(&at(port), &token(root), &key).await.unwrap_err();
    assert_eq!(error.code(), "TLS_INTERCEPTED");
    assert!(error.to_string().contains("Example Hospital Web Gateway"), "{error}");
}

#[tokio::test]
async fn f12_what_a_gateway_calls_itself_reaches_no_terminal_as_it_is() {
    let long = "x".repeat(400);
    let gateway = Gateway::called(&[
        (DnType::CommonName, "\u{1b}]0;owned\u{7}\u{202e}Gateway\nlevel=ERROR"),
        (DnType::OrganizationName, &long),
    ]);
    let port = serve(gateway.server(&[b"h2"]), None).await;
    let DialError::Intercepted { issuer, .. } = failure(at(port)).await else { panic!() };
    assert!(issuer.chars().all(|character| matches!(character, ' '..='~')), "{issuer:?}");
    assert!(issuer.len() <= 160 && issuer.contains("Gateway"), "{issuer}");
}

#[tokio::test]
async fn f12_another_consortium_is_no_gateway() {
    let other = Consortium::new(2);
    let port = other.serve().await;
    assert_eq!(failure(at(port)).await.code(), "WRONG_ROOT");
    let key = SecretKey::generate(&SeededEntropy::new(4));
    let root = Consortium::new(1).authority.root().fingerprint();
    let error = enrol(&at(port), &token(root), &key).await.unwrap_err();
    assert_eq!(error.code(), "WRONG_ROOT");
    // The same root leads on: what fails then is the call, which this server does not know.
    let error = enrol(&at(port), &token(other.authority.root().fingerprint()), &key).await;
    assert!(!matches!(error.unwrap_err(), EgressError::Dial(_)));
}
