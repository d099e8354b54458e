//! What goes wrong with a PACS: with the whole of it, or with one case. None of it quotes an answer,
//! an identifier or an address.

use fedval_ambient::{Exit, Problem};
use fedval_study::summary::FailureReason;

/// The PACS cannot be asked; the next case would fail for the same reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacsError {
    /// The address is not one.
    #[error("what stands as the PACS's url is not an address of DICOMweb services")]
    BadAddress,
    /// The address is not one of a host and a port.
    #[error("what stands as the PACS's address is not a host with a port")]
    BadDimseAddress,
    /// A title of an application entity is none.
    #[error("a title of an application entity is not one of 1 to 16 characters")]
    BadTitle,
    /// Without TLS, and not on this machine.
    #[error("the PACS's url is http, and the PACS is not on this machine")]
    WithoutTls,
    /// A limit is zero, or no number.
    #[error("a limit of the PACS is zero or no number")]
    BadLimit,
    /// What it would be shown is neither user and password nor a token.
    #[error("the credentials for the PACS are not of the form that is asked for")]
    BadLogin,
    /// There is no certificate to trust it by.
    #[error("there is no certificate by which to trust the PACS")]
    BadAuthority,
    /// The agent's own certificate and key are not usable.
    #[error("the certificate that the PACS would be shown is not usable")]
    BadIdentity,
    /// It is not there, or does not answer.
    #[error("the PACS cannot be reached")]
    Unreachable,
    /// Its certificate is not trusted.
    #[error("the PACS's certificate is not trusted")]
    Certificate,
    /// It wants a certificate of the agent's, or another one.
    #[error("the PACS does not accept this agent's certificate")]
    IdentityRefused,
    /// It does not let the agent in.
    #[error("the PACS does not let this agent in")]
    Refused,
    /// It sends the agent elsewhere.
    #[error("the PACS sends this agent to another address")]
    Redirected,
    /// It asks for patience again and again.
    #[error("the PACS is busy")]
    Busy,
    /// It fails whatever it is asked.
    #[error("the PACS fails")]
    Failed,
    /// It knows no application entities of these titles.
    #[error("the PACS takes no association between these application entities")]
    TitleRefused,
    /// It does not know where C-MOVE should send an image.
    #[error("the PACS does not know the application entity to which images are to be moved")]
    DestinationUnknown,
    /// The place to which the PACS sends images cannot be listened at.
    #[error("the address at which the PACS's images would arrive cannot be listened at")]
    NotListening,
    /// The files of a series cannot be kept on this machine until its slices are in order.
    #[error("the files of a series cannot be kept in the agent's folder while it is looked at")]
    SeriesNotKept,
    /// It is there, and does not find or give images by associations.
    #[error("what answers at the PACS's address does not offer C-FIND and the way of retrieval")]
    NotDimse,
    /// It is there, and what it says is not DICOMweb.
    #[error("what answers at the PACS's url does not speak DICOMweb")]
    NotDicomWeb,
}

impl PacsError {
    /// Whether it may be over in a minute. What is not is a person's work: asking again and again with
    /// a wrong password locks accounts.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Unreachable | Self::Busy | Self::Failed | Self::SeriesNotKept)
    }

    /// What to write instead, where the settings are wrong.
    const fn to_write(self) -> Option<&'static str> {
        Some(match self {
            Self::BadAddress => "write it as https://HOST[:PORT]/PATH, without user or password",
            Self::BadDimseAddress => "write it as HOST:PORT",
            Self::BadTitle => {
                "write called_ae, calling_ae and move_destination as the PACS team gives them"
            }
            Self::WithoutTls => {
                "write https://; where the PACS has no TLS and its network is trusted, say \
                 without_tls = true"
            }
            Self::BadLimit => {
                "give requests_per_second, parallel_requests and answer_seconds above 0"
            }
            Self::BadLogin => {
                "write one line user:password into the file of `credentials`, or one line with the \
                 token into the file of `token`"
            }
            Self::BadAuthority => {
                "name a file with the certificate of the authority that certified the PACS, in PEM, \
                 as ca"
            }
            Self::BadIdentity => {
                "name files with the certificate and its unencrypted key, in PEM, as certificate and \
                 key"
            }
            _ => return None,
        })
    }

    /// What to do or ask for, where the settings may be right.
    const fn to_ask(self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable => {
                "run `fedval-agent check` on this machine, and ask the PACS team whether it may \
                 connect; the run goes on by itself"
            }
            Self::Certificate => {
                "name the authority that certified the PACS as ca, and write the host as its \
                 certificate does"
            }
            Self::IdentityRefused => {
                "name a certificate that the PACS accepts, and its key, as certificate and key, then \
                 restart the agent; what was evaluated is kept"
            }
            Self::Refused => {
                "correct the credentials and the account's rights, then restart the agent; what was \
                 evaluated is kept"
            }
            Self::Redirected => "write the address that the PACS team gives for DICOMweb itself",
            Self::Busy => {
                "lower requests_per_second, or ask at other hours; the run goes on by itself"
            }
            Self::Failed => "ask the PACS team to look at its log; the run goes on by itself",
            Self::TitleRefused => {
                "ask the PACS team to register calling_ae with this machine's address, and for the \
                 PACS's own title as called_ae, then restart the agent; what was evaluated is kept"
            }
            Self::DestinationUnknown => {
                "ask the PACS team to register move_destination with this machine's address and the \
                 port of listen, then restart the agent; what was evaluated is kept"
            }
            Self::NotListening => {
                "name an address of this machine and a port that nobody else listens at as listen"
            }
            Self::SeriesNotKept => {
                "free disk space in the agent's folder, or lower lanes in agent.toml; the run goes on \
                 by itself"
            }
            Self::NotDimse => {
                "ask the PACS team for Study Root C-FIND, and for C-GET or C-MOVE; name the latter \
                 with retrieve = \"move\""
            }
            Self::NotDicomWeb => "ask the PACS team for the root of QIDO-RS and WADO-RS",
            _ => return None,
        })
    }
}

impl Problem for PacsError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadAddress => "PACS_ADDRESS_INVALID",
            Self::BadDimseAddress => "PACS_DIMSE_ADDRESS_INVALID",
            Self::BadTitle => "PACS_TITLE_INVALID",
            Self::WithoutTls => "PACS_WITHOUT_TLS",
            Self::BadLimit => "PACS_LIMIT_INVALID",
            Self::BadLogin => "PACS_CREDENTIALS_INVALID",
            Self::BadAuthority => "PACS_CA_INVALID",
            Self::BadIdentity => "PACS_IDENTITY_INVALID",
            Self::Unreachable => "PACS_UNREACHABLE",
            Self::Certificate => "PACS_CERTIFICATE",
            Self::IdentityRefused => "PACS_IDENTITY_REFUSED",
            Self::Refused => "PACS_REFUSED",
            Self::Redirected => "PACS_REDIRECTED",
            Self::Busy => "PACS_BUSY",
            Self::Failed => "PACS_FAILED",
            Self::TitleRefused => "PACS_TITLE_REFUSED",
            Self::DestinationUnknown => "PACS_DESTINATION_UNKNOWN",
            Self::NotListening => "PACS_NOT_LISTENING",
            Self::SeriesNotKept => "PACS_SERIES_NOT_KEPT",
            Self::NotDimse => "PACS_NOT_DIMSE",
            Self::NotDicomWeb => "PACS_NOT_DICOMWEB",
        }
    }

    fn remedy(&self) -> Option<String> {
        self.to_write().or_else(|| self.to_ask()).map(str::to_owned)
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unreachable | Self::Busy | Self::Failed => Exit::Unreachable,
            Self::Refused
            | Self::IdentityRefused
            | Self::TitleRefused
            | Self::DestinationUnknown => Exit::Refused,
            Self::SeriesNotKept => Exit::Machine,
            _ => Exit::Usage,
        }
    }
}

/// One case has no image; the next may have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaseFault {
    /// The PACS has no such image.
    #[error("the PACS has no image of that name")]
    NoInstance,
    /// The PACS has several, and none of them is the one.
    #[error("the PACS has several images of that name")]
    SeveralInstances,
    /// The imaging study has several series, and none of them is the one.
    #[error("the PACS has several series of that name")]
    SeveralSeries,
    /// The PACS lists fewer images than it says that the series has.
    #[error("the PACS does not list all images of the series")]
    SeriesIncomplete,
    /// A series has more images, or more bytes, than are read.
    #[error("the series is larger than is read")]
    SeriesTooLarge,
    /// Its answer is larger than is read.
    #[error("the PACS's answer is larger than is read")]
    TooLarge,
    /// Its answer is not what was asked for, or ends early.
    #[error("the PACS's answer is not what was asked for")]
    AnswerInvalid,
    /// It sent an image that calls itself otherwise.
    #[error("the PACS sent another image than was asked for")]
    OtherInstance,
    /// It failed again and again at this case, does not give it out, or sends the agent elsewhere for
    /// it; and not at others.
    #[error("the PACS fails at this case")]
    Failing,
}

impl CaseFault {
    /// Stable code for the site's own screens.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoInstance => "PACS_NO_INSTANCE",
            Self::SeveralInstances => "PACS_SEVERAL_INSTANCES",
            Self::SeveralSeries => "PACS_SEVERAL_SERIES",
            Self::SeriesIncomplete => "PACS_SERIES_INCOMPLETE",
            // As of a folder.
            Self::SeriesTooLarge => "SERIES_TOO_LARGE",
            Self::TooLarge => "FILE_TOO_LARGE",
            Self::AnswerInvalid => "PACS_ANSWER_INVALID",
            Self::OtherInstance => "PACS_OTHER_INSTANCE",
            Self::Failing => "PACS_CASE_FAILING",
        }
    }

    /// The reason under which the case is counted: as for a file that is not there, or a folder that is too large.
    #[must_use]
    pub const fn reason(self) -> FailureReason {
        match self {
            Self::SeriesTooLarge => FailureReason::Unsupported,
            _ => FailureReason::Undecodable,
        }
    }
}

/// An instance was not fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// This case fails.
    #[error("the image of this case cannot be had")]
    Case(#[from] CaseFault),
    /// The PACS cannot be asked.
    #[error("the PACS cannot be asked")]
    Pacs(#[from] PacsError),
}
