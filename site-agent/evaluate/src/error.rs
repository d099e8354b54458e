//! Why an evaluation did not finish, and who hears of it.

use fedval_inference::{LoadError, ScoreError};
use fedval_ingest::{FindingsError, FindingsProblem, ManifestError, ManifestProblem, PacsError};
use fedval_preprocess::probe::Drift;
use fedval_study::{Exit, FailedStage, ProbeName, Problem};
use fedval_vault::{Culprit, VaultError};

use crate::lane::LaneError;

/// An evaluation did not finish.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The manifest is refused.
    #[error("the manifest is refused")]
    Manifest(#[from] ManifestError),
    /// The findings are refused.
    #[error("the findings are refused")]
    Findings(#[from] FindingsError),
    /// Findings that were read cannot be matched: this program is at fault.
    #[error("the findings cannot be matched")]
    NotMatched,
    /// The source has scores, and the protocol wants images.
    #[error("the study does not accept prediction tables")]
    PredictionsNotAccepted,
    /// The model cannot be loaded.
    #[error("the model cannot be loaded")]
    ModelLoad(#[source] LoadError),
    /// The model cannot be run.
    #[error("the model ended its box, again and again on one case or by what it tried")]
    ModelDies(#[source] ScoreError),
    /// Two engines came to different scores of one case.
    #[error("two engines gave one case different scores")]
    EnginesDisagree,
    /// A case that was looked at again came to another score.
    #[error("the model gave one case two different scores")]
    Nondeterministic,
    /// Too many cases failed.
    #[error("more cases failed than the protocol allows")]
    TooManyFailures,
    /// This machine does not preprocess as the protocol says: no case was read, and nothing was spent.
    #[error("no image was read: {0}")]
    PreprocessingDiffers(Drift),
    /// A probe image does not come out of its box.
    #[error("no image was read: the probe image `{probe}` cannot be decoded here ({detail})")]
    ProbeNotDecoded {
        /// The probe.
        probe: ProbeName,
        /// Stable code of what became of it.
        detail: &'static str,
    },
    /// This machine cannot run a box.
    #[error("images cannot be decoded on this machine")]
    Machine(#[source] fedval_ingest::DecodeFailure),
    /// The PACS cannot be asked. What was evaluated before is kept.
    #[error("the images cannot be fetched")]
    Pacs(#[from] PacsError),
    /// `/proc` is not there.
    #[error("this program cannot start itself in a box")]
    NoBox(#[source] std::io::Error),
    /// The vault failed: nothing is lost, and nothing is told.
    #[error("the vault failed")]
    Vault(#[from] VaultError),
}

impl EvaluateError {
    /// What the coordinator hears; `None` where the agent tries again instead.
    #[must_use]
    pub fn stage(&self) -> Option<FailedStage> {
        match self {
            Self::Manifest(error) if error.is_of_this_machine() => None,
            Self::Findings(error) if error.is_of_this_machine() => None,
            Self::Manifest(_) | Self::Findings(_) | Self::PredictionsNotAccepted => {
                Some(FailedStage::DataSource)
            }
            // A box that does not start says nothing about the model.
            Self::ModelLoad(LoadError::NotRead { .. } | LoadError::NotStarted { .. })
            | Self::Machine(_)
            | Self::NoBox(_)
            | Self::Pacs(_)
            | Self::PreprocessingDiffers(_)
            | Self::ProbeNotDecoded { .. }
            | Self::Vault(_) => None,
            Self::ModelLoad(error) if error.waits().is_some() => None,
            Self::ModelDies(error) if error.waits().is_some() => None,
            Self::ModelLoad(_) => Some(FailedStage::ModelLoad),
            Self::ModelDies(_)
            | Self::TooManyFailures
            | Self::EnginesDisagree
            | Self::Nondeterministic
            | Self::NotMatched => Some(FailedStage::Evaluation),
        }
    }

    /// Whether what this site fetches images from or runs models with cannot be used now, so that the job waits.
    /// True inside if it may be over in a minute; otherwise a person has something to do.
    #[must_use]
    pub const fn waits(&self) -> Option<bool> {
        match self {
            Self::Pacs(error) => Some(error.is_passing()),
            Self::ModelLoad(error) => error.waits(),
            Self::ModelDies(error) => error.waits(),
            _ => None,
        }
    }

    /// What made a box do what nothing honest does there, if that is why.
    #[must_use]
    pub fn culprit(&self) -> Option<Culprit> {
        let is_of_file = match self {
            Self::ModelLoad(LoadError::Forbidden) | Self::ModelDies(ScoreError::Forbidden) => {
                return Some(Culprit::Model);
            }
            Self::Manifest(error) => error.problems().contains(&ManifestProblem::ForbiddenCall),
            Self::Findings(error) => {
                let is_it = |of: &FindingsProblem| matches!(of, FindingsProblem::Forbidden { .. });
                error.problems().iter().any(is_it)
            }
            _ => false,
        };
        is_of_file.then_some(Culprit::File)
    }

    /// Whether this site's copy of the model is damaged: what the protocol pins is fetched again.
    #[must_use]
    pub const fn is_model_damaged(&self) -> bool {
        matches!(self, Self::ModelLoad(LoadError::DigestMismatch))
    }
}

impl From<LaneError> for EvaluateError {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::Load(error) => Self::ModelLoad(error),
            LaneError::ModelDies(error) => Self::ModelDies(error),
            LaneError::Machine(error) => Self::Machine(error),
            LaneError::Pacs(error) => Self::Pacs(error),
        }
    }
}

impl Problem for EvaluateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Manifest(error) => error.code(),
            Self::Findings(error) => error.code(),
            Self::NotMatched => "PROGRAM_FAULT",
            Self::PredictionsNotAccepted => "PREDICTIONS_NOT_ACCEPTED",
            Self::ModelLoad(error) => error.code(),
            Self::ModelDies(error) => error.code(),
            Self::EnginesDisagree => "ENGINES_DISAGREE",
            Self::Nondeterministic => "NONDETERMINISTIC",
            Self::TooManyFailures => "TOO_MANY_FAILED_CASES",
            Self::Machine(error) => error.code(),
            Self::NoBox(_) => "SANDBOX_NOT_STARTED",
            Self::Pacs(error) => error.code(),
            Self::PreprocessingDiffers(_) | Self::ProbeNotDecoded { .. } => "PREPROCESSING_DIFFERS",
            Self::Vault(error) => error.code(),
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Manifest(error) => error.remedy(),
            Self::Findings(error) => error.remedy(),
            Self::NotMatched => Some("tell the maintainers: nothing was released".to_owned()),
            Self::PredictionsNotAccepted => Some(
                "give the study a data source with images, or ask the sponsor for a protocol that \
                 accepts prediction tables"
                    .to_owned(),
            ),
            Self::ModelLoad(error) => error.remedy(),
            Self::ModelDies(error) => error.remedy(),
            Self::EnginesDisagree => Some(
                "nothing was released: look whether the inference server has the sponsor's file, and \
                 whether the library is a release that is still maintained; then run `fedval-agent check` \
                 and ask for a new round"
                    .to_owned(),
            ),
            Self::Nondeterministic => Some(
                "tell the sponsor: a score must depend on the image alone; nothing was released"
                    .to_owned(),
            ),
            Self::TooManyFailures => Some(
                "run `fedval-agent check --study STUDY` to see which cases failed and why"
                    .to_owned(),
            ),
            Self::Machine(error) => error.remedy(),
            Self::NoBox(_) => Some("mount /proc for this user".to_owned()),
            Self::Pacs(error) => error.remedy(),
            Self::PreprocessingDiffers(_) | Self::ProbeNotDecoded { .. } => Some(
                "install the coordinator's release of fedval-agent, then run `fedval-agent check \
                 --study STUDY`"
                    .to_owned(),
            ),
            Self::Vault(error) => error.remedy(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::ModelLoad(LoadError::NotRead { .. } | LoadError::NotStarted { .. })
            | Self::Machine(_)
            | Self::NoBox(_)
            | Self::PreprocessingDiffers(_)
            | Self::ProbeNotDecoded { .. }
            | Self::Vault(_) => Exit::Machine,
            Self::Pacs(error) => error.exit(),
            Self::Manifest(error) => error.exit(),
            Self::Findings(error) => error.exit(),
            _ => Exit::Usage,
        }
    }
}
