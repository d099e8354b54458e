//! One request: when it may begin, how long it may take, how much it may bring, and when it is made
//! again.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT,
};
use hyper::{HeaderMap, Request, Response, StatusCode};
use tokio::time::{sleep, timeout};

use super::connection::{Connection, told_by_tls};
use super::{CaseFault, FetchError, Pacs, PacsError};

/// What QIDO-RS is asked for (PS3.18, 8.7.3).
pub(super) const JSON: &str = "application/dicom+json";
/// What WADO-RS is asked for: the instance as it is kept. Without the last parameter a PACS
/// decompresses what it sends (PS3.18, 8.7.3.5.2).
pub(super) const DICOM: &str = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";
/// A request that fails is made again so often.
const RETRIES: u32 = 3;
/// A PACS that asks for more patience is not asked again.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

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

/// Why a question brought nothing that is of use.
pub(super) enum Trouble {
    /// Another try would end so again, and it is known whose fault that is.
    Known(FetchError),
    /// Another try would end so again: the case's fault where the PACS is otherwise well, else the
    /// PACS's.
    Doubtful(CaseFault, PacsError),
    /// The PACS asks for patience, perhaps for how long.
    Busy(Option<Duration>),
    /// There was no connection.
    Unreachable,
    /// The connection was lost, the time was up, or the PACS failed.
    Broken,
}

impl From<PacsError> for Trouble {
    fn from(error: PacsError) -> Self {
        match error {
            PacsError::Unreachable => Self::Unreachable,
            error => Self::Known(error.into()),
        }
    }
}

impl From<CaseFault> for Trouble {
    fn from(fault: CaseFault) -> Self {
        match fault {
            // It may come from what stands in the place of the PACS, such as a page that says when
            // it is back.
            CaseFault::AnswerInvalid => Self::Doubtful(fault, PacsError::Failed),
            fault => Self::Known(fault.into()),
        }
    }
}

impl From<hyper::Error> for Trouble {
    fn from(error: hyper::Error) -> Self {
        told_by_tls(&error).map_or(Self::Broken, Self::from)
    }
}

impl Pacs {
    /// Asks for `target`, below the root; reads at most `most` bytes.
    pub(super) async fn get(
        &self,
        target: &str,
        accept: &'static str,
        most: u64,
    ) -> Result<Answer, Trouble> {
        let mut wait = Duration::from_millis(self.limits.first_wait_millis);
        for _ in 0..RETRIES {
            let pause = match self.attempt(target, accept, most).await {
                Err(Trouble::Busy(Some(asked))) if asked <= LONGEST_WAIT => asked,
                Err(Trouble::Busy(None) | Trouble::Unreachable | Trouble::Broken) => wait,
                done => return done,
            };
            sleep(pause).await;
            wait *= 2;
        }
        self.attempt(target, accept, most).await
    }

    /// The same once, whatever comes.
    pub(super) async fn attempt(
        &self,
        target: &str,
        accept: &'static str,
        most: u64,
    ) -> Result<Answer, Trouble> {
        let _turn = self.pace.turn().await;
        let connection = self.connections.take().await?;
        let exchange = self.exchange(connection, target, accept, most);
        // A connection on which something is still to come is never used again.
        timeout(self.patience(), exchange).await.unwrap_or(Err(Trouble::Broken))
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
