//! One request to web services: when it may begin, how long it may take, how much it may bring.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT,
};
use hyper::{HeaderMap, Request, Response, StatusCode};
use tokio::time::timeout;

use super::address::Address;
use super::attempt::Trouble;
use super::connection::{Connection, Connections};
use super::dialer::Dialer;
use super::{CaseFault, Pacs, PacsError, PacsLogin, PacsSettings, tls};

/// What QIDO-RS is asked for (PS3.18, 8.7.3).
pub(super) const JSON: &str = "application/dicom+json";
/// What WADO-RS is asked for: the instance as it is kept. Without the last parameter a PACS
/// decompresses what it sends (PS3.18, 8.7.3.5.2).
pub(super) const DICOM: &str = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) content_type: String,
    /// `None` where the PACS says that there is nothing (204).
    pub(super) body: Option<Vec<u8>>,
}

impl Answer {
    /// Whether it is of a media type, whatever its parameters.
    pub(super) fn is(&self, media: &str) -> bool {
        let own = self.content_type.split(';').next().unwrap_or_default();
        own.trim().eq_ignore_ascii_case(media)
    }
}

/// A PACS's web services.
pub(super) struct Web {
    address: Address,
    login: Option<PacsLogin>,
    connections: Connections,
}

impl Pacs {
    /// Asks for `target`, below the root; reads at most `most` bytes.
    pub(super) async fn get(
        &self,
        web: &Web,
        target: &str,
        accept: &'static str,
        most: u64,
    ) -> Result<Answer, Trouble> {
        self.again(move || self.attempt(web, target, accept, most)).await
    }

    /// The same once, whatever comes.
    pub(super) async fn attempt(
        &self,
        web: &Web,
        target: &str,
        accept: &'static str,
        most: u64,
    ) -> Result<Answer, Trouble> {
        let _turn = self.pace.turn().await;
        let connection = web.connections.take().await?;
        let exchange = web.exchange(connection, target, accept, most);
        // A connection on which something is still to come is never used again.
        timeout(self.patience(), exchange).await.unwrap_or(Err(Trouble::Broken))
    }
}

impl Web {
    pub(super) fn new(settings: &PacsSettings) -> Result<Self, PacsError> {
        let address = Address::parse(&settings.url, settings.without_tls)?;
        let tls = if address.is_tls {
            Some(tls::client(&settings.authorities, settings.identity.as_ref())?)
        } else {
            None
        };
        let dialer = Dialer::to(&address.host, address.port, tls)?;
        let (login, connections) = (settings.login.clone(), Connections::by(dialer));
        Ok(Self { address, login, connections })
    }

    async fn exchange(
        &self,
        mut connection: Connection,
        target: &str,
        accept: &'static str,
        most: u64,
    ) -> Result<Answer, Trouble> {
        let request = self.request(target, accept)?;
        let response = connection.send_request(request).await?;
        let has_content = verdict(response.status(), response.headers())?;
        let content_type = content_type(response.headers());
        let body = if has_content { Some(read(response, most).await?) } else { None };
        self.connections.give_back(connection);
        Ok(Answer { content_type, body })
    }

    fn request(
        &self,
        target: &str,
        accept: &'static str,
    ) -> Result<Request<Empty<Bytes>>, Trouble> {
        let mut request = Request::get(format!("{}{target}", self.address.root))
            .header(HOST, &self.address.authority)
            .header(USER_AGENT, "fedval-agent")
            .header(ACCEPT, accept);
        if let Some(login) = &self.login {
            request = request.header(AUTHORIZATION, login.header());
        }
        request.body(Empty::new()).map_err(|_| CaseFault::AnswerInvalid.into())
    }
}

/// What an answer's status says: whether it has content, or why it is of no use.
///
/// A PACS may keep one imaging study from this account, fetch one image from a slow archive, or have
/// one elsewhere: all but 401 may concern one case alone.
fn verdict(status: StatusCode, headers: &HeaderMap) -> Result<bool, Trouble> {
    // No encoding was offered: whoever compresses an answer may make it as large as it likes.
    let is_encoded = headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity");
    match status {
        StatusCode::OK if is_encoded => Err(CaseFault::AnswerInvalid.into()),
        StatusCode::OK => Ok(true),
        StatusCode::NO_CONTENT => Ok(false),
        StatusCode::UNAUTHORIZED => Err(PacsError::Refused.into()),
        StatusCode::FORBIDDEN => Err(Trouble::Doubtful(CaseFault::Failing, PacsError::Refused)),
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            Err(Trouble::Doubtful(CaseFault::NoInstance, PacsError::Failed))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let seconds =
                headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Err(Trouble::Busy(seconds.map(Duration::from_secs)))
        }
        StatusCode::REQUEST_TIMEOUT => Err(Trouble::Broken),
        status if status.is_redirection() => {
            Err(Trouble::Doubtful(CaseFault::Failing, PacsError::Redirected))
        }
        status if status.is_server_error() => Err(Trouble::Broken),
        _ => Err(CaseFault::AnswerInvalid.into()),
    }
}

fn content_type(headers: &HeaderMap) -> String {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    text.unwrap_or_default().to_owned()
}

/// The body, in memory. One that is too large is given up where it becomes so.
async fn read(response: Response<Incoming>, most: u64) -> Result<Vec<u8>, Trouble> {
    let mut body = response.into_body();
    if body.size_hint().lower() > most {
        return Err(CaseFault::TooLarge.into());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if (bytes.len() + data.len()) as u64 > most {
            return Err(CaseFault::TooLarge.into());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
