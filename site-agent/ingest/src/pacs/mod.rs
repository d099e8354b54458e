//! Images from a PACS: by DICOMweb, where QIDO-RS finds the instance that the manifest names and WADO-RS
//! fetches it, or by DIMSE, where C-FIND finds it and C-GET or C-MOVE fetches it. Nothing is ever stored
//! there. An image touches no disk of this machine; the files of a series lie there sealed, in a file without
//! a name, until their slices are in order.
//!
//! Everything the PACS says is held against a limit. It never tells to whom else to speak: addresses
//! in its answers are not looked at, and a redirection is followed nowhere.

mod address;
mod attempt;
mod blame;
mod connection;
mod dialer;
mod dimse;
mod error;
mod file_meta;
mod find;
mod login;
mod multipart;
mod name;
mod pace;
mod qido;
mod question;
mod request;
mod results;
mod spool;
mod tls;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::decode::LARGEST_SERIES;
use attempt::Trouble;
use dimse::Dimse;
pub use dimse::{DimsePart, DimseRetrieval, DimseSettings, dimse_conversation};
pub use error::{CaseFault, FetchError, PacsError};
use find::Place;
pub use login::PacsLogin;
pub use name::{InstanceKey, InstanceName};
use pace::Pace;
use question::Question;
use request::{Answer, Web};
pub use spool::Spool;

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

/// How a PACS is spoken to.
enum Way {
    Web(Web),
    Dimse(Dimse),
}

impl Way {
    /// What a PACS does that does not speak so.
    const fn speaks_otherwise(&self) -> PacsError {
        match self {
            Self::Web(_) => PacsError::NotDicomWeb,
            Self::Dimse(_) => PacsError::NotDimse,
        }
    }
}

/// What a PACS has of a case whose image is a volume.
#[derive(Debug)]
pub enum FetchedVolume {
    /// One file, which holds all of it.
    Image(Vec<u8>),
    /// The files of a series, in the order of their UIDs.
    Series(Spool),
}

/// A PACS that is asked for images.
pub struct Pacs {
    way: Way,
    modality: Option<String>,
    pace: Pace,
    limits: PacsLimits,
    /// Where the files of a series are kept while its slices are put in order; `None` where none is fetched.
    folder: Option<PathBuf>,
    /// Cases in a row, over all lanes, that had no image though the PACS answers questions.
    in_a_row: AtomicU32,
}

impl fmt::Debug for Pacs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pacs(..)")
    }
}

impl Pacs {
    /// A PACS with web services that nobody has asked yet.
    ///
    /// # Errors
    ///
    /// [`PacsError`] if an address, a certificate or a limit is not usable.
    pub fn new(settings: PacsSettings) -> Result<Self, PacsError> {
        let way = Way::Web(Web::new(&settings)?);
        Self::by(way, settings.modality, settings.limits)
    }

    /// A PACS that is asked by DIMSE, and that nobody has asked yet.
    ///
    /// # Errors
    ///
    /// [`PacsError`] if an address, a title, a certificate or a limit is not usable.
    pub fn by_dimse(settings: DimseSettings) -> Result<Self, PacsError> {
        let way = Way::Dimse(Dimse::new(&settings)?);
        Self::by(way, settings.modality, settings.limits)
    }

    fn by(way: Way, modality: Option<String>, limits: PacsLimits) -> Result<Self, PacsError> {
        if limits.answer_seconds == 0 {
            return Err(PacsError::BadLimit);
        }
        let pace = Pace::of(limits.requests_per_second, limits.parallel_requests)?;
        Ok(Self { way, modality, pace, limits, folder: None, in_a_row: AtomicU32::new(0) })
    }

    /// The same PACS, of which the files of a series are kept in `folder` while its slices are put in order.
    #[must_use]
    pub fn keeping_series_in(self, folder: PathBuf) -> Self {
        Self { folder: Some(folder), ..self }
    }

    /// Asks the PACS once, for nothing in particular: whether it is there, lets this agent in, and
    /// speaks DICOMweb or DIMSE.
    ///
    /// # Errors
    ///
    /// [`PacsError`] if not, or if images that it would send could not arrive.
    pub async fn check(&self) -> Result<(), PacsError> {
        if let Way::Dimse(dimse) = &self.way {
            dimse.check_arrival().await?;
        }
        self.probe().await
    }

    async fn ask_for_nobody(&self) -> Result<(), Trouble> {
        match &self.way {
            Way::Web(web) => self.ask_web_for_nobody(web).await,
            Way::Dimse(dimse) => self.query(dimse, Question::Nobody, 1).await.map(drop),
        }
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

    /// All files of the series that `name` names, or the one that an instance's own UID names.
    ///
    /// # Errors
    ///
    /// As [`fetch`](Self::fetch), and of a series that has more than [`MOST_SLICES`] instances or too many bytes. None of
    /// it is handed out where one instance cannot be had.
    ///
    /// [`MOST_SLICES`]: fedval_preprocess::volume::MOST_SLICES
    pub async fn fetch_volume(&self, name: &InstanceName) -> Result<FetchedVolume, FetchError> {
        match self.volume(name).await {
            Ok(volume) => {
                self.has_given();
                Ok(volume)
            }
            Err(trouble) => Err(self.blame(trouble).await),
        }
    }

    async fn volume(&self, name: &InstanceName) -> Result<FetchedVolume, Trouble> {
        let places = self.find_all(name).await?;
        if let [only] = places.as_slice() {
            return Ok(FetchedVolume::Image(self.file(only).await?));
        }
        let places = places.as_slice();
        let series = match &self.way {
            Way::Web(_) => self.one_by_one(places).await?,
            Way::Dimse(dimse) => self.again(move || self.retrieve_series(dimse, places)).await?,
        };
        Ok(FetchedVolume::Series(series))
    }

    async fn one_by_one(&self, places: &[Place]) -> Result<Spool, Trouble> {
        let mut series = self.spool(places).await?;
        for place in places {
            let file = self.file(place).await?;
            if series.bytes() + file.len() as u64 > self.most_series_bytes() {
                return Err(CaseFault::SeriesTooLarge.into());
            }
            series = series.with(place.instance(), file).await?;
        }
        Ok(series)
    }

    /// Where the files of the series go that these instances are of.
    async fn spool(&self, places: &[Place]) -> Result<Spool, PacsError> {
        let folder = self.folder.clone().ok_or(PacsError::SeriesNotKept)?;
        let series = places.first().map(Place::series).unwrap_or_default();
        Spool::of_series(series, folder).await
    }

    const fn most_series_bytes(&self) -> u64 {
        self.limits.max_instance_bytes.saturating_mul(LARGEST_SERIES)
    }

    async fn instance(&self, name: &InstanceName) -> Result<Vec<u8>, Trouble> {
        let place = self.find(name).await?;
        self.file(&place).await
    }

    /// One instance, which calls itself as it was asked for.
    async fn file(&self, place: &Place) -> Result<Vec<u8>, Trouble> {
        let file = match &self.way {
            Way::Web(web) => {
                let (media, most) = (request::DICOM, self.limits.max_instance_bytes);
                file_of(self.get(web, &place.target(), media, most).await?)?
            }
            Way::Dimse(dimse) => self.again(move || self.retrieve(dimse, place)).await?,
        };
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
