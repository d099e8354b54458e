//! An operator's connection to the coordinator.

use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Exit, Failure};
use fedval_proto::operator_service_client::OperatorServiceClient;
use fedval_trust::tls;
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic_types::StatusExt as _;

use crate::home::Home;

const CONNECT_SECONDS: u64 = 10;

/// Connects with the operator's certificate.
pub(crate) async fn connect(home: &Home) -> Result<OperatorServiceClient<Channel>, Failure> {
    let config = home.config()?;
    let (key, certificate) = home.pair("operator")?;
    let tls = tls::client_config(&home.certificate("root")?, &certificate, &key)
        .map_err(|error| bad_url(&config.url, &error))?;
    let tls = Arc::new(tls);
    let origin: Uri = config.url.parse().map_err(|error| bad_url(&config.url, &error))?;
    // tonic refuses `https` unless it does the TLS itself; here the connector does, and requests
    // keep the true origin.
    let plain = config.url.replacen("https://", "http://", 1);
    let endpoint: Endpoint =
        Endpoint::from_shared(plain).map_err(|error| bad_url(&config.url, &error))?.origin(origin);
    let dial = tower::service_fn(move |uri: Uri| {
        let tls = Arc::clone(&tls);
        async move {
            let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(443));
            tls::dial(tls, host, port).await.map(TokioIo::new)
        }
    });
    let channel = endpoint
        .connect_timeout(Duration::from_secs(CONNECT_SECONDS))
        .connect_with_connector(dial)
        .await
        .map_err(|error| unreachable(&config.url, &error))?;
    Ok(OperatorServiceClient::new(channel))
}

fn bad_url(url: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        "CONFIG_INVALID",
        format!("`{url}` cannot be used: {error}"),
        "write `url = \"https://HOST:PORT\"` in fedval.toml",
    )
}

fn unreachable(url: &str, error: &dyn std::error::Error) -> Failure {
    let mut failure = Failure::new(
        Exit::Unreachable,
        "COORDINATOR_UNREACHABLE",
        format!("the coordinator at {url} does not answer"),
        "start it with `fedval serve`, or correct `url` in fedval.toml",
    );
    let mut source = error.source();
    while let Some(cause) = source {
        failure.causes.push(cause.to_string());
        source = cause.source();
    }
    failure
}

/// A refusal of the server, as a person reads it.
pub(crate) fn refusal(status: &tonic::Status) -> Failure {
    let info = status.get_details_error_info();
    if info.is_none() && std::error::Error::source(status).is_some() {
        // Nobody refused: the connection broke in the middle of the call.
        return Failure::new(
            Exit::Unreachable,
            "COORDINATOR_UNREACHABLE",
            "the coordinator went away during the call",
            "give the same command again: repeating it does no harm",
        );
    }
    let remedy = status
        .get_details_help()
        .and_then(|help| help.links.into_iter().next())
        .map(|link| link.description);
    let exit = match status.code() {
        tonic::Code::Unavailable => Exit::Unreachable,
        tonic::Code::PermissionDenied | tonic::Code::Unauthenticated => Exit::Refused,
        tonic::Code::Internal | tonic::Code::Unknown => Exit::Bug,
        _ => Exit::Usage,
    };
    Failure {
        message: status.message().to_owned(),
        causes: Vec::new(),
        code: info
            .map_or_else(|| format!("{:?}", status.code()).to_uppercase(), |info| info.reason),
        remedy,
        exit,
    }
}
