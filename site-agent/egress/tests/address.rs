//! Which addresses are those of a coordinator.

use fedval_ambient::{Exit, Problem as _};
use fedval_egress::Coordinator;

#[test]
fn a_host_with_or_without_a_port_is_an_address() {
    for url in [
        "https://fedval.example.org",
        "https://fedval.example.org:8443",
        "https://fedval.example.org/",
        "https://10.0.0.1:443",
        "https://[::1]:443",
        "HTTPS://fedval.example.org",
    ] {
        assert!(Coordinator::at(url).is_ok(), "{url}");
    }
}

#[test]
fn anything_that_is_not_https_to_a_bare_host_is_refused_with_the_right_form() {
    for url in [
        "",
        "fedval.example.org",
        "fedval.example.org:443",
        "http://fedval.example.org",
        "grpc://fedval.example.org",
        "file:///etc/passwd",
        "https://",
        "https://:443",
        "https:///studies",
        "https://fedval.example.org/studies",
        "https://fedval.example.org?token=x",
        "https://fedval.example.org@elsewhere.example.org",
        "https://user:word@fedval.example.org",
        "https://fedval.example.org:99999",
        "https://two hosts",
    ] {
        let refused = Coordinator::at(url).err().unwrap_or_else(|| panic!("taken: {url:?}"));
        assert_eq!((refused.code(), refused.exit()), ("URL_INVALID", Exit::Usage), "{url:?}");
        assert_eq!(refused.remedy().as_deref(), Some("write it as https://HOST:PORT"));
        assert!(!refused.is_passing());
    }
}
