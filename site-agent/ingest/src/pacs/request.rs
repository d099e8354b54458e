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

use super::{CaseFault, FetchError, Pacs, PacsError};

/// What QIDO-RS is asked for (PS3.18, 8.7.3).
pub(super) const JSON: &str = "application/dicom+json";
/// What WADO-RS is asked for: the instance as it is kept. Without the last parameter a PACS
/// decompresses what it sends (PS3.18, 8.7.3.5.2).
pub(super) const DICOM: &str = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";
/// A request that fails is made again so often.
const RETRIES: u32 = 3;
/// A PACS that asks for more patience is told so instead.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) content_type: String,
    /// Empty where there is no content.
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Whether it is of a media type, whatever its parameters.
    pub(super) fn is(&self, media: &str) -> bool {
        let own = self.content_type.split(';').next().unwrap_or_default();
        own.trim().eq_ignore_ascii_case(media)
    }
}

/// Why one try brought no answer.
enum Trouble {
    /// Another try would end so again.
    Final(FetchError),
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
            error => Self::Final(error.into()),
        }
    }
}

impl From<CaseFault> for Trouble {
    fn from(fault: CaseFault) -> Self {
        Self::Final(fault.into())
    }
}

impl Pacs {
    /// Asks for `target`, below the root; reads at most `most` bytes.
    pub(super) async fn get(
        &self,
        target: &str,
        accept: &'static str,
        most: u64,
    ) -> Result<Answer, FetchError> {
        let mut wait = Duration::from_millis(self.limits.first_wait_millis);
        let mut tries = 0;
        loop {
            let trouble = match self.attempt(target, accept, most).await {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(error)) => return Err(error),
                Err(trouble) => trouble,
            };
            if tries == RETRIES {
                return Err(self.give_up(&trouble).await);
            }
            let asked = match trouble {
                Trouble::Busy(asked) => asked.unwrap_or(wait),
                _ => wait,
            };
            sleep(asked.min(LONGEST_WAIT)).await;
            (tries, wait) = (tries + 1, wait * 2);
        }
    }

    /// Whether the case is at fault or the PACS, after all tries.
    async fn give_up(&self, trouble: &Trouble) -> FetchError {
        match trouble {
            Trouble::Busy(_) => PacsError::Busy.into(),
            Trouble::Unreachable => PacsError::Unreachable.into(),
            // One image that the PACS cannot read must not hold up all the others for ever; a PACS
            // that is down must not make every case fail.
            Trouble::Broken | Trouble::Final(_) => match self.any_study_once().await {
                Ok(()) | Err(Trouble::Final(FetchError::Case(_))) => CaseFault::Failing.into(),
                Err(Trouble::Final(error)) => error,
                Err(Trouble::Busy(_)) => PacsError::Busy.into(),
                Err(Trouble::Unreachable) => PacsError::Unreachable.into(),
                Err(Trouble::Broken) => PacsError::Failed.into(),
            },
        }
    }

    /// The smallest question there is.
    pub(super) async fn any_study(&self) -> Result<(), FetchError> {
        let answer = self.get(ANY_STUDY, JSON, super::find::MOST_JSON_BYTES).await?;
        super::find::read(&answer).map(drop).map_err(FetchError::from)
    }

    async fn any_study_once(&self) -> Result<(), Trouble> {
        self.attempt(ANY_STUDY, JSON, super::find::MOST_JSON_BYTES).await.map(drop)
    }

    async fn attempt(
        &self,
        target: &str,
        accept: &'static str,
        most: u64,
    ) -> Result<Answer, Trouble> {
        let _turn = self.pace.turn().await;
        let exchange = self.exchange(target, accept, most);
        // A connection on which something is still to come is never used again.
        timeout(self.patience(), exchange).await.unwrap_or(Err(Trouble::Broken))
    }

    async fn exchange(
        &self,
        target: &str,
        accept: &'static str,
        most: u64,
    ) -> Result<Answer, Trouble> {
        let mut connection = self.connections.take().await?;
        let request = self.request(target, accept)?;
        let response = connection.send_request(request).await.map_err(|_| Trouble::Broken)?;
        let is_empty = verdict(response.status(), response.headers())?;
        let content_type = content_type(response.headers());
        let body = if is_empty { Vec::new() } else { read(response, most).await? };
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

const ANY_STUDY: &str = "/studies?limit=1";

/// What an answer's status says: whether it has no content, or why it is of no use.
fn verdict(status: StatusCode, headers: &HeaderMap) -> Result<bool, Trouble> {
    // No encoding was offered: whoever compresses an answer may make it as large as it likes.
    let is_encoded = headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity");
    match status {
        StatusCode::OK if is_encoded => Err(CaseFault::AnswerInvalid.into()),
        StatusCode::OK => Ok(false),
        StatusCode::NO_CONTENT => Ok(true),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(PacsError::Refused.into()),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(CaseFault::NoInstance.into()),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let seconds =
                headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Err(Trouble::Busy(seconds.map(Duration::from_secs)))
        }
        status if status.is_redirection() => Err(PacsError::Redirected.into()),
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
        let frame = frame.map_err(|_| Trouble::Broken)?;
        let Ok(data) = frame.into_data() else { continue };
        if (bytes.len() + data.len()) as u64 > most {
            return Err(CaseFault::TooLarge.into());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
