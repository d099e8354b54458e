//! Why a model cannot be used, and why a case has no score.

use fedval_ambient::{Exit, Problem};
use fedval_sandbox::SpawnError;

const FORBIDDEN_REMEDY: &str =
    "keep the model's file and the kernel's log, and tell whoever answers for this site's security";

/// Why a model could not be loaded.
///
/// Nothing the model says about itself is repeated: its names are a stranger's text, and the
/// engine's messages quote them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes are not the ones that the protocol pins.
    #[error("the model file is not the one that the protocol pins")]
    DigestMismatch,
    /// The file cannot be read.
    #[error("the model file cannot be read")]
    NotRead {
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The bytes are not an ONNX model.
    #[error("the model file is not an ONNX model")]
    NotOnnx,
    /// The file, its graph or a tensor it declares is beyond the limits.
    #[error("the model is larger than the limits of this site, or declares more than it holds")]
    TooLarge,
    /// The graph uses something that an ordinary inference graph does not need.
    #[error("the model uses an operator or a construct that is not allowed")]
    OperatorRefused,
    /// Weights lie in another file.
    #[error("the model refers to data outside its file")]
    ExternalData,
    /// The graph's inputs are not the protocol's.
    #[error("the model's input is not the one that the protocol describes")]
    InputMismatch,
    /// The graph's outputs are not the protocol's.
    #[error("the model's output is not the one that the protocol describes")]
    OutputMismatch,
    /// Loading and optimising took too long.
    #[error("the model was not loaded in time")]
    TimedOut,
    /// The box ended while the model was loaded: panic, abort or no memory left.
    #[error("the model ended its sandboxed process while it was loaded")]
    Crashed,
    /// The kernel ended the box for a system call that nothing honest makes.
    #[error("the model tried what no model needs, and was ended")]
    Forbidden,
    /// The engine refused the model.
    #[error("the inference engine cannot run the model")]
    Failed,
    /// The box could not load the library of the engine.
    #[error("the library of the inference engine cannot be loaded")]
    LibraryNotLoaded,
    /// Nobody here has said that the inference server has the protocol's model.
    #[error("no model of the inference server is confirmed to be the one that the protocol pins")]
    NotConfirmed,
    /// The inference server does not answer, or not in time.
    #[error("the inference server does not answer")]
    ServerUnreachable,
    /// The inference server answers and does not serve the model now.
    #[error("the inference server does not serve the model")]
    ServerNotReady,
    /// The inference server refuses, or does not speak the protocol.
    #[error("the inference server refuses the agent, or does not speak the protocol")]
    ServerRefused,
    /// No box can be started.
    #[error("models cannot be run on this machine")]
    NotStarted {
        /// What stands in the way.
        #[source]
        source: SpawnError,
    },
}

impl Problem for LoadError {
    fn code(&self) -> &'static str {
        match self {
            Self::DigestMismatch => "MODEL_DIGEST_MISMATCH",
            Self::NotRead { .. } => "MODEL_NOT_READ",
            Self::NotOnnx => "MODEL_NOT_ONNX",
            Self::TooLarge => "MODEL_TOO_LARGE",
            Self::OperatorRefused => "MODEL_OPERATOR_REFUSED",
            Self::ExternalData => "MODEL_EXTERNAL_DATA",
            Self::InputMismatch => "MODEL_INPUT_MISMATCH",
            Self::OutputMismatch => "MODEL_OUTPUT_MISMATCH",
            Self::TimedOut => "MODEL_LOAD_TIMEOUT",
            Self::Crashed => "MODEL_CRASHED",
            Self::Forbidden => "MODEL_FORBIDDEN_CALL",
            Self::Failed => "MODEL_LOAD_FAILED",
            Self::LibraryNotLoaded => "ENGINE_LIBRARY_NOT_LOADED",
            Self::NotConfirmed => "MODEL_NOT_CONFIRMED",
            Self::ServerUnreachable => "MODEL_SERVER_UNREACHABLE",
            Self::ServerNotReady => "MODEL_SERVER_NOT_READY",
            Self::ServerRefused => "MODEL_SERVER_REFUSED",
            Self::NotStarted { source } => source.code(),
        }
    }

    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NotStarted { source } => return source.remedy(),
            Self::DigestMismatch => {
                "the agent fetches the model again; if that does not help, check the disk"
            }
            Self::NotRead { .. } => "check that the agent's folder belongs to this user",
            Self::NotOnnx => "ask the study's lead for the model as one ONNX file",
            Self::TooLarge | Self::TimedOut | Self::Crashed => {
                "ask the study's lead for a smaller model, or raise this site's limits for models"
            }
            Self::OperatorRefused => {
                "ask the study's lead for a plain inference graph: standard operators, no control \
                 flow, no randomness, no custom domain, and no NonMaxSuppression, which the protocol \
                 can ask for instead"
            }
            Self::ExternalData => "ask the study's lead for the model with its weights embedded",
            Self::InputMismatch => {
                "ask the study's lead to correct the model's input in the protocol: name, layout, \
                 height, width, channels, 32-bit floats, batch of one"
            }
            Self::OutputMismatch => {
                "ask the study's lead to correct the model's output in the protocol: name and \
                 index of the score, or channels and size of the mask, or columns of the boxes"
            }
            Self::Forbidden => FORBIDDEN_REMEDY,
            Self::Failed => "ask the study's lead to export the model with operator set 18 or less",
            Self::LibraryNotLoaded => {
                "install a release of ONNX Runtime for this processor, 1.24 or later, and the system's \
                 libstdc++; or write engine = \"embedded\" in [inference] of agent.toml"
            }
            Self::NotConfirmed => {
                "load the sponsor's file into the inference server, compare its SHA-256 with the \
                 protocol's, then write both as a table [[inference.models]] of agent.toml"
            }
            Self::ServerUnreachable => {
                "check that the inference server runs and that its port is open from here; then run \
                 `fedval-agent check`"
            }
            Self::ServerNotReady => {
                "load the model into the inference server under the name and version that \
                 [[inference.models]] of agent.toml say"
            }
            Self::ServerRefused => {
                "check that `server` in [inference] of agent.toml is the gRPC port of a server for the \
                 Open Inference Protocol, version 2"
            }
        };
        Some(text.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NotRead { .. } | Self::NotStarted { .. } => Exit::Machine,
            _ => Exit::Refused,
        }
    }
}

impl LoadError {
    /// Whether it says something of this site's own engine and nothing of the model: then the job waits.
    /// True inside if it may be over in a minute; otherwise a person has something to do.
    #[must_use]
    pub const fn waits(&self) -> Option<bool> {
        match self {
            Self::ServerUnreachable | Self::ServerNotReady => Some(true),
            Self::LibraryNotLoaded | Self::NotConfirmed | Self::ServerRefused => Some(false),
            _ => None,
        }
    }
}

impl ScoreError {
    /// Whether it says something of this site's own engine and nothing of the model, as
    /// [`LoadError::waits`] does.
    #[must_use]
    pub const fn waits(self) -> Option<bool> {
        match self {
            Self::ServerGone => Some(true),
            Self::ServerRefused => Some(false),
            _ => None,
        }
    }
}

/// Why a case has no score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// The model gave no number, an infinite one, a probability outside 0…1, or probabilities of classes that do
    /// not add up to 1.
    #[error("the model's output is not a score")]
    Invalid,
    /// The box ended; the model must be loaded again.
    #[error("the model ended its sandboxed process")]
    Died,
    /// The box was ended because it took too long; the model must be loaded again.
    #[error("the model did not answer in time")]
    TimedOut,
    /// The kernel ended the box for a system call that nothing honest makes; the model must not be loaded
    /// again.
    #[error("the model tried what no model needs, and was ended")]
    Forbidden,
    /// The inference server has gone, or its answer is none; the model must be asked for again.
    #[error("the inference server stopped answering")]
    ServerGone,
    /// The inference server refuses what the protocol describes.
    #[error("the inference server refuses what it is asked")]
    ServerRefused,
}

impl Problem for ScoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid => "MODEL_OUTPUT_INVALID",
            Self::Died => "MODEL_DIED",
            Self::TimedOut => "MODEL_TIMEOUT",
            Self::Forbidden => "MODEL_FORBIDDEN_CALL",
            Self::ServerGone => "MODEL_SERVER_UNREACHABLE",
            Self::ServerRefused => "MODEL_SERVER_REFUSED",
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Forbidden => Some(FORBIDDEN_REMEDY.to_owned()),
            Self::ServerGone => LoadError::ServerUnreachable.remedy(),
            Self::ServerRefused => LoadError::ServerRefused.remedy(),
            _ => None,
        }
    }

    fn exit(&self) -> Exit {
        Exit::Refused
    }
}
