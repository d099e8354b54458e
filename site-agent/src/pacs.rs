//! The `[data_sources.pacs]` table of `agent.toml`: a PACS in the place of a folder of images.

use std::fmt;
use std::path::{Path, PathBuf};

use fedval_ambient::{Exit, Failure, SystemClock};
use fedval_ingest::{InstanceKey, Pacs, PacsError, PacsLimits, PacsLogin, PacsSettings};
use serde::Deserialize;

use crate::hours::Hours;
use crate::secret_file::{absolute, authorities, invalid, read_secret};

/// Certificates and their key, in PEM.
type Identity = (Vec<u8>, Vec<u8>);

/// A PACS that speaks DICOMweb.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PacsConfig {
    url: String,
    /// What the manifest's image column holds. Default: the image's own UID.
    #[serde(default)]
    find_by: FindBy,
    /// Default: every modality that has images.
    modality: Option<String>,
    /// Default: what this system trusts.
    ca: Option<PathBuf>,
    /// File with user:password. Default: none.
    credentials: Option<PathBuf>,
    /// File with a bearer token. Default: none.
    token: Option<PathBuf>,
    /// The agent's own certificate. Default: none.
    certificate: Option<PathBuf>,
    /// Its key.
    key: Option<PathBuf>,
    /// Default: false.
    #[serde(default)]
    without_tls: bool,
    /// Default: at any time.
    pub(crate) hours: Option<Hours>,
    #[serde(default = "usual_requests_per_second")]
    requests_per_second: f64,
    #[serde(default = "usual_parallel_requests")]
    parallel_requests: usize,
    #[serde(default = "usual_answer_seconds")]
    answer_seconds: u64,
}

/// What the manifest's image column holds.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FindBy {
    #[default]
    SopInstanceUid,
    SeriesInstanceUid,
    StudyInstanceUid,
    AccessionNumber,
}

impl FindBy {
    pub(crate) const fn key(self) -> InstanceKey {
        match self {
            Self::SopInstanceUid => InstanceKey::SopInstanceUid,
            Self::SeriesInstanceUid => InstanceKey::SeriesInstanceUid,
            Self::StudyInstanceUid => InstanceKey::StudyInstanceUid,
            Self::AccessionNumber => InstanceKey::AccessionNumber,
        }
    }
}

pub(crate) fn usual_requests_per_second() -> f64 {
    PacsLimits::default().requests_per_second
}

pub(crate) fn usual_parallel_requests() -> usize {
    PacsLimits::default().parallel_requests
}

pub(crate) fn usual_answer_seconds() -> u64 {
    PacsLimits::default().answer_seconds
}

impl fmt::Debug for PacsConfig {
    /// Names the type only: somebody may have written a password into the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PacsConfig(..)")
    }
}

impl PacsConfig {
    pub(crate) const fn instance_key(&self) -> InstanceKey {
        self.find_by.key()
    }

    /// The PACS, which nobody has asked yet. Reads the files that the table names.
    pub(crate) fn open(&self, max_instance_bytes: u64) -> Result<Pacs, Failure> {
        check_zone(self.hours)?;
        let limits = PacsLimits {
            requests_per_second: self.requests_per_second,
            parallel_requests: self.parallel_requests,
            answer_seconds: self.answer_seconds,
            max_instance_bytes,
            ..PacsLimits::default()
        };
        let settings = PacsSettings {
            url: self.url.clone(),
            without_tls: self.without_tls,
            authorities: self.authorities()?,
            identity: identity(self.certificate.as_deref(), self.key.as_deref())?,
            login: self.login()?,
            modality: self.modality.clone(),
            limits,
        };
        Ok(Pacs::new(settings)?)
    }

    /// Nobody is trusted without TLS, so nothing is read for that.
    fn authorities(&self) -> Result<Vec<u8>, Failure> {
        if !self.url.starts_with("https://") {
            return Ok(Vec::new());
        }
        Ok(authorities(self.ca.as_deref())?.unwrap_or_default())
    }

    fn login(&self) -> Result<Option<PacsLogin>, Failure> {
        Ok(match (&self.credentials, &self.token) {
            (None, None) => None,
            (Some(file), None) => Some(PacsLogin::basic(&secret(file, PacsError::BadLogin)?)?),
            (None, Some(file)) => Some(PacsLogin::bearer(&secret(file, PacsError::BadLogin)?)?),
            (Some(_), Some(_)) => {
                return Err(invalid("a PACS is shown credentials or a token, not both"));
            }
        })
    }
}

/// The agent's own certificate and its key, where both are named.
pub(crate) fn identity(
    certificate: Option<&Path>,
    key: Option<&Path>,
) -> Result<Option<Identity>, Failure> {
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            let chain = std::fs::read(absolute(certificate)?);
            let chain = chain.map_err(|error| Failure::disk("read", certificate, &error))?;
            Ok(Some((chain, secret(key, PacsError::BadIdentity)?.into_bytes())))
        }
        _ => Err(invalid("certificate and key of a PACS are named together or not at all")),
    }
}

/// A PACS would be asked at other hours than its hospital said.
pub(crate) fn check_zone(hours: Option<Hours>) -> Result<(), Failure> {
    if hours.is_none() || SystemClock::knows_its_zone() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        "PACS_ZONE_UNKNOWN",
        "the time zone that TZ names is not known on this machine, and a PACS has hours",
        "install the system's time zones (tzdata), or set TZ to one that is there, such as \
         Europe/Berlin",
    ))
}

/// A file that its owner alone may read. What it holds is never quoted.
fn secret(file: &Path, wrong: PacsError) -> Result<String, Failure> {
    let text = read_secret(file, "PACS_SECRET_OPEN")?;
    text.ok_or_else(|| wrong.into())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn config(table: &str) -> PacsConfig {
        toml::from_str(table).unwrap()
    }

    fn code(table: &str) -> String {
        let failure = config(table).open(1).unwrap_err();
        assert!(!format!("{failure:?} {:?}", config(table)).contains("hunter2"), "{failure:?}");
        failure.code
    }

    #[test]
    fn secrets_come_from_files_that_nobody_else_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let write = |text: &[u8], mode| {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        };
        let of = |key: &str| format!("url = \"http://127.0.0.1:1\"\n{key} = {file:?}");
        for key in ["credentials", "token"] {
            let _ = fs::remove_file(&file);
            assert_eq!(code(&of(key)), "DISK");
            write(b"dr:hunter2", 0o640);
            assert_eq!(code(&of(key)), "PACS_SECRET_OPEN");
            write(b"dr:hunter2\xff", 0o600);
            assert_eq!(code(&of(key)), "PACS_CREDENTIALS_INVALID");
            write(b"dr:hunter2\n", 0o600);
            assert!(config(&of(key)).open(1).is_ok());
        }
        write(b"hunter2 hunter2", 0o600);
        assert_eq!(code(&of("credentials")), "PACS_CREDENTIALS_INVALID");
        assert_eq!(code(&of("token")), "PACS_CREDENTIALS_INVALID");
        let both = format!("{}\ntoken = {file:?}", of("credentials"));
        assert_eq!(code(&both), "CONFIG_INVALID");
        assert_eq!(code(&of("certificate")), "CONFIG_INVALID");
        assert_eq!(code("url = \"http://127.0.0.1:1\"\ntoken = \"secret\""), "CONFIG_INVALID");
    }

    #[test]
    fn settings_that_cannot_work_or_should_not_are_refused() {
        assert_eq!(code("url = \"https://dr:hunter2@pacs.test\""), "PACS_ADDRESS_INVALID");
        assert_eq!(code("url = \"http://pacs.test\""), "PACS_WITHOUT_TLS");
        assert!(config("url = \"http://pacs.test\"\nwithout_tls = true").open(1).is_ok());
        for limit in ["requests_per_second = 0.0", "parallel_requests = 0", "answer_seconds = 0"] {
            let table = format!("url = \"http://localhost\"\n{limit}");
            assert_eq!(code(&table), "PACS_LIMIT_INVALID", "{limit}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let table = format!("url = \"https://pacs.test\"\nca = {:?}", file.path());
        assert_eq!(code(&table), "PACS_CA_INVALID");
        for bad in ["find_by = \"patient_id\"", "hours = \"25:00-06:00\"", "store = true"] {
            let table = format!("url = \"https://pacs.test\"\n{bad}");
            assert!(toml::from_str::<PacsConfig>(&table).is_err(), "{bad}");
        }
    }
}
