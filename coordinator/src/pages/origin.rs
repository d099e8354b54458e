//! Forms are taken from pages of this server alone, whatever cookies a browser sends along.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Refuses what another site's page makes a browser send.
pub(super) async fn check(request: Request, next: Next) -> Response {
    if *request.method() == Method::POST && !is_from_here(&request) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

/// Every browser names the origin of a form. What names none is no browser, and holds nobody's cookies.
fn is_from_here(request: &Request) -> bool {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    match (text(ORIGIN), text(HOST)) {
        (None, _) => !request.headers().contains_key(ORIGIN),
        (Some(origin), Some(host)) => origin.strip_prefix("https://") == Some(host),
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(origin: Option<&str>) -> Request {
        let mut request = Request::post("/login").header(HOST, "fedval.example.org:8443");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn a_form_comes_from_this_origin_or_from_no_browser() {
        assert!(is_from_here(&request(Some("https://fedval.example.org:8443"))));
        assert!(is_from_here(&request(None)));
        for other in [
            "https://fedval.example.org",
            "http://fedval.example.org:8443",
            "https://evil.example.org",
            "null",
        ] {
            assert!(!is_from_here(&request(Some(other))), "{other} was taken");
        }
    }
}
