//! Images from a PACS by DICOMweb: QIDO-RS finds the instance that the manifest names, WADO-RS fetches
//! it. Nothing is ever stored there, and nothing of it touches this machine's disk.
//!
//! Everything the PACS says is held against a limit. It never tells to whom else to speak: addresses
//! in its answers are not looked at, and a redirection is followed nowhere.

mod address;
mod blame;
mod connection;
mod error;
mod file_meta;
mod find;
mod login;
mod multipart;
mod name;
mod pace;
mod request;
mod results;

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use address::Address;
use connection::Connections;
pub use error::{CaseFault, FetchError, PacsError};
pub use login::PacsLogin;
pub use name::{InstanceKey, InstanceName};
use pace::Pace;
use request::{Answer, Trouble};

/// Where a PACS is, how it is trusted, and what it is shown.
#[derive(Clone)]
pub struct PacsSettings {
    /// Root of its DICOMweb services, such as `https://pacs.example.org/dicom-web`.
    pub url: String,
    /// Speaks to it without TLS, though it is not on this machine.
    pub without_tls: bool,
    /// Certificates in PEM that may certify it.
    pub authorities: Vec<u8>,
    /// The agent's own certificates and their key in PEM, where the PACS asks for them.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// What it is shown with every request.
    pub login: Option<PacsLogin>,
    /// Only instances of this modality (0008,0060) are images of a case, such as `DX`. Default: any
    /// modality that has images.
    pub modality: Option<String>,
    /// How gently it is asked.
    pub limits: PacsLimits,
}

impl fmt::Debug for PacsSettings {
    /// Names the type only: addresses and secrets do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PacsSettings(..)")
    }
}

/// How much a PACS may be asked, and how much it may answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PacsLimits {
    /// Requests that begin in one second, over all cases.
    pub requests_per_second: f64,
    /// Requests that run beside each other.
    pub parallel_requests: usize,
    /// Time for one request over a connection, to the last byte of its answer, in seconds.
    pub answer_seconds: u64,
    /// Largest instance that is fetched, in bytes.
    pub max_instance_bytes: u64,
    /// Wait before a request is made again, in milliseconds. Each further wait is twice as long.
    pub first_wait_millis: u64,
}

impl Default for PacsLimits {
    fn default() -> Self {
        Self {
            requests_per_second: 4.0,
            parallel_requests: 1,
            answer_seconds: 60,
            max_instance_bytes: 256 << 20,
            first_wait_millis: 1000,
        }
    }
}

/// A PACS that is asked for images.
pub struct Pacs {
    address: Address,
    login: Option<PacsLogin>,
    modality: Option<String>,
    connections: Connections,
    pace: Pace,
    limits: PacsLimits,
    /// Cases in a row, over all lanes, that had no image though the PACS answers questions.
    in_a_row: AtomicU32,
}

impl fmt::Debug for Pacs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pacs(..)")
    }
}

impl Pacs {
    /// A PACS that nobody has asked yet.
    ///
    /// # Errors
    ///
    /// [`PacsError`] if an address, a certificate or a limit is not usable.
    pub fn new(settings: PacsSettings) -> Result<Self, PacsError> {
        let limits = settings.limits;
        if limits.answer_seconds == 0 {
            return Err(PacsError::BadLimit);
        }
        let address = Address::parse(&settings.url, settings.without_tls)?;
        let tls = if address.is_tls {
            Some(connection::tls(&settings.authorities, settings.identity.as_ref())?)
        } else {
            None
        };
        Ok(Self {
            connections: Connections::to(&address, tls)?,
            pace: Pace::of(limits.requests_per_second, limits.parallel_requests)?,
            login: settings.login,
            modality: settings.modality,
            address,
            limits,
            in_a_row: AtomicU32::new(0),
        })
    }

    /// Asks the PACS once, for nothing in particular: whether it is there, lets this agent in, and
    /// speaks DICOMweb.
    ///
    /// # Errors
    ///
    /// [`PacsError`] if not.
    pub async fn check(&self) -> Result<(), PacsError> {
        self.probe().await
    }

    /// The instance that `name` names: a DICOM file, as the PACS keeps it.
    ///
    /// # Errors
    ///
    /// [`FetchError::Case`] if there is not exactly one such image, or its answer is not usable;
    /// [`FetchError::Pacs`] if the next case would fail for the same reason.
    pub async fn fetch(&self, name: &InstanceName) -> Result<Vec<u8>, FetchError> {
        match self.instance(name).await {
            Ok(file) => {
                self.has_given();
                Ok(file)
            }
            Err(trouble) => Err(self.blame(trouble).await),
        }
    }

    /// Whether a case had no image since one last came. Until the next one comes, it may still turn
    /// out that the PACS is at fault, and what was told of cases in between is to be forgotten.
    pub fn is_in_doubt(&self) -> bool {
        self.in_a_row.load(Ordering::SeqCst) > 0
    }

    async fn instance(&self, name: &InstanceName) -> Result<Vec<u8>, Trouble> {
        let place = self.find(name).await?;
        let (media, most) = (request::DICOM, self.limits.max_instance_bytes);
        let answer = self.get(&place.target(), media, most).await?;
        let file = file_of(answer)?;
        let is_wanted = file_meta::instance(&file).map(|uid| uid == place.instance());
        match is_wanted {
            Some(true) => Ok(file),
            Some(false) => Err(CaseFault::OtherInstance.into()),
            None => Err(CaseFault::AnswerInvalid.into()),
        }
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.limits.answer_seconds)
    }
}

/// The one file that an answer holds.
fn file_of(answer: Answer) -> Result<Vec<u8>, CaseFault> {
    let is_bare = answer.is("application/dicom");
    let body = answer.body.ok_or(CaseFault::AnswerInvalid)?;
    if is_bare {
        return Ok(body);
    }
    let boundary = multipart::boundary(&answer.content_type);
    multipart::only_part(body, &boundary.ok_or(CaseFault::AnswerInvalid)?)
}
