//! HTTP CONNECT: asks a proxy for a way to the coordinator, and reads what it says instead.

use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use crate::dial::Wire;
use crate::{DialError, DialStep, Proxy, ProxyAsks};

/// Opens a way to `target` over a connection to the proxy.
pub(crate) async fn open(wire: Wire, proxy: &Proxy, target: &str) -> Result<Wire, DialError> {
    let no_proxy = |_| DialError::NotAProxy { proxy: proxy.to_string(), status: None };
    let (mut sender, connection) =
        http1::handshake::<_, Empty<Bytes>>(TokioIo::new(wire)).await.map_err(no_proxy)?;
    // It ends by itself: with the refusal, or by handing the stream over.
    tokio::spawn(async move { drop(connection.with_upgrades().await) });
    let request = request(proxy, target)
        .map_err(|_| DialError::NotAProxy { proxy: proxy.to_string(), status: None })?;
    let response = sender.send_request(request).await.map_err(no_proxy)?;
    if !response.status().is_success() {
        return Err(refusal(&response, proxy, target));
    }
    let stream = hyper::upgrade::on(response).await.map_err(no_proxy)?;
    Ok(Box::new(TokioIo::new(stream)))
}

fn request(proxy: &Proxy, target: &str) -> Result<Request<Empty<Bytes>>, hyper::http::Error> {
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(target)
        .header(HOST, target)
        // Some proxies turn away whoever does not say what it is.
        .header(USER_AGENT, "fedval-agent");
    if let Some(credentials) = proxy.credentials() {
        request = request.header(PROXY_AUTHORIZATION, credentials.header());
    }
    request.body(Empty::new())
}

fn refusal(response: &Response<Incoming>, proxy: &Proxy, target: &str) -> DialError {
    let (status, target) = (response.status(), target.to_owned());
    let at = proxy.to_string();
    match status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            DialError::ProxyAuthentication { proxy: at, asks: asks(response, proxy) }
        }
        StatusCode::FORBIDDEN => DialError::ProxyForbids { proxy: at, target },
        StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT
        | StatusCode::TOO_MANY_REQUESTS => {
            DialError::ProxyCannotReach { proxy: at, target, status: Some(status.as_u16()) }
        }
        // A proxy that sends elsewhere sends to its sign-in page.
        _ if status.is_redirection() || status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED => {
            DialError::CaptivePage { at, step: DialStep::Proxy }
        }
        _ => DialError::NotAProxy { proxy: at, status: Some(status.as_u16()) },
    }
}

/// What a 407 wants: only its schemes are read.
fn asks(response: &Response<Incoming>, proxy: &Proxy) -> ProxyAsks {
    let offers = response.headers().get_all(PROXY_AUTHENTICATE).into_iter();
    let mut schemes = offers
        .filter_map(|offer| offer.to_str().ok())
        .flat_map(|offer| offer.split(','))
        .filter_map(|offer| offer.split_whitespace().next())
        .peekable();
    let is_basic_taken =
        schemes.peek().is_none() || schemes.any(|scheme| scheme.eq_ignore_ascii_case("basic"));
    match (is_basic_taken, proxy.credentials()) {
        (false, _) => ProxyAsks::AnotherScheme,
        (true, None) => ProxyAsks::Credentials,
        (true, Some(_)) => ProxyAsks::OtherCredentials,
    }
}
