//! The coordinator cannot be reached, or refuses.

use fedval_ambient::{Exit, Problem};
use tonic_types::StatusExt as _;

use crate::DialError;

/// A call to the coordinator failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// The address is not one.
    #[error("`{url}` is not the address of a coordinator")]
    BadUrl {
        /// The address, from this site's own configuration.
        url: String,
    },
    /// The coordinator is not reached, or somebody else answers.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// Keys and certificates do not fit.
    #[error("TLS cannot be set up with this site's key and certificate")]
    Tls,
    /// It answered no more.
    #[error("the coordinator fell silent")]
    Silent,
    /// The work stream ended.
    #[error("the work stream ended")]
    StreamEnded,
    /// The coordinator refused.
    #[error("the coordinator refused: {message}")]
    Refused {
        /// Its stable code.
        code: String,
        /// Its sentence.
        message: String,
        /// Its advice.
        remedy: Option<String>,
        /// Whether the same call may succeed later.
        is_passing: bool,
    },
    /// The coordinator's answer breaks the contract.
    #[error("the coordinator's answer breaks the contract")]
    BadAnswer,
    /// The bytes that arrived are not the ones that were promised.
    #[error("the download is not what its digest says")]
    DigestMismatch,
    /// This machine's disk failed.
    #[error("the download cannot be written to disk")]
    Disk(#[source] std::io::Error),
}

impl EgressError {
    pub(crate) fn refused(status: &tonic::Status) -> Self {
        // A connection that broke is dialled anew by the next call, which then fails as a dial does.
        if let Some(error) = DialError::within(status) {
            return Self::Dial(error.clone());
        }
        let info = status.get_details_error_info();
        let help = status.get_details_help().and_then(|help| help.links.into_iter().next());
        let code = info.map_or_else(|| "COORDINATOR_FAILED".to_owned(), |info| info.reason);
        Self::Refused {
            is_passing: matches!(
                status.code(),
                tonic::Code::Unavailable
                    | tonic::Code::Unknown
                    | tonic::Code::Cancelled
                    | tonic::Code::DeadlineExceeded
                    | tonic::Code::Internal
                    | tonic::Code::Aborted
                    | tonic::Code::DataLoss
                    | tonic::Code::ResourceExhausted
            ),
            code,
            message: printable(status.message()),
            remedy: help.map(|link| printable(&link.description)),
        }
    }

    /// Whether the same call may succeed later without anybody doing anything.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            // Whatever stands between may go away, and no job ends for what a network does.
            Self::Dial(_) | Self::Silent | Self::StreamEnded => true,
            Self::Refused { is_passing, .. } => *is_passing,
            _ => false,
        }
    }
}

impl Problem for EgressError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadUrl { .. } => "URL_INVALID",
            Self::Dial(error) => error.code(),
            Self::Tls => "TLS",
            Self::Silent => "COORDINATOR_SILENT",
            Self::StreamEnded => "STREAM_ENDED",
            Self::Refused { code, .. } => known_code(code),
            Self::BadAnswer => "ANSWER_INVALID",
            Self::DigestMismatch => "DIGEST_MISMATCH",
            Self::Disk(_) => "DISK",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::BadUrl { .. } => "write it as https://HOST:PORT".to_owned(),
            Self::Dial(error) => return error.remedy(),
            Self::Tls => "enrol this machine again".to_owned(),
            Self::Silent | Self::StreamEnded => "the agent tries again by itself".to_owned(),
            Self::Refused { remedy, .. } => return remedy.clone(),
            Self::BadAnswer => "run the same release of fedval on both sides".to_owned(),
            Self::DigestMismatch => {
                "it is fetched again by itself; if it stays, tell the coordinator's operator"
                    .to_owned()
            }
            Self::Disk(_) => "free disk space and check the folder's permissions".to_owned(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::BadUrl { .. } | Self::Tls => Exit::Usage,
            Self::Dial(error) => error.exit(),
            Self::Silent
            | Self::StreamEnded
            | Self::DigestMismatch
            | Self::Refused { is_passing: true, .. } => Exit::Unreachable,
            Self::Refused { .. } => Exit::Refused,
            Self::BadAnswer => Exit::Bug,
            Self::Disk(_) => Exit::Machine,
        }
    }
}

/// Words of the other side, fit for a terminal: no control sequence of theirs reaches it.
fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

/// Codes of the coordinator that a site may see; a code of another version is not passed on, since
/// codes end up in metrics.
fn known_code(code: &str) -> &'static str {
    const KNOWN: [&str; 25] = [
        "AGENT_ALREADY_CONNECTED",
        "ARTIFACT_NOT_FOUND",
        "ARTIFACTS_UNAVAILABLE",
        "CALL_TIMED_OUT",
        "CONFLICT",
        "CSR_INVALID",
        "INVITATION_LOCKED",
        "MESSAGE_INVALID",
        "MESSAGE_TOO_LARGE",
        "NOT_ENROLLED",
        "NOT_WHAT_WAS_ASKED",
        "PREPROCESSING_DIFFERS",
        "PREPROCESSING_UNPROVEN",
        "RESULT_CONTRADICTION",
        "RESULT_OUT_OF_RANGE",
        "RESULT_SIGNATURE",
        "ROUND_CLOSED",
        "ROUND_NOT_FOUND",
        "STALE_LEASE",
        "STORE_DAMAGED",
        "STORE_UNAVAILABLE",
        "TOKEN_REFUSED",
        "TOO_MANY_CALLS",
        "TOO_MANY_TRIES",
        "WRONG_SITE",
    ];
    KNOWN.into_iter().find(|known| *known == code).unwrap_or("COORDINATOR_FAILED")
}
