//! One lane of an evaluation: a decoder and a model, each in its own box, one case after another.

use std::collections::BTreeMap;
use std::path::Path;

use fedval_disclosure::SiteLocal;
use fedval_inference::{BoxProgram, InferenceLimits, LoadError, ModelBox, ScoreError};
use fedval_ingest::{Case, DecodeFailure, DecodeRequest, Decoder};
use fedval_study::Sha256Digest;
use fedval_study::protocol::StudyProtocol;
use fedval_study::summary::FailureReason;
use fedval_vault::{CaseOutcome, Checkpoint};
use tokio::io::AsyncReadExt as _;

/// How often the model's box is started again for one case before the job fails.
const MODEL_RETRIES: u32 = 2;

/// Why a lane cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaneError {
    /// The model cannot be loaded.
    #[error("the model cannot be loaded")]
    Load(#[from] LoadError),
    /// The model's box ended again and again on one case.
    #[error("the model's box ended {MODEL_RETRIES} times after its first try on one case")]
    ModelDies(#[source] ScoreError),
    /// Nothing can be decoded on this machine.
    #[error("images cannot be decoded on this machine")]
    Machine(#[source] DecodeFailure),
}

/// A decoder and a model.
pub(crate) struct Lane<'e> {
    pub(crate) protocol: &'e StudyProtocol,
    pub(crate) keywords: &'e [String],
    pub(crate) decoder: Decoder,
    /// Largest image file that is read.
    pub(crate) max_file_bytes: u64,
    pub(crate) program: &'e BoxProgram,
    pub(crate) limits: &'e InferenceLimits,
    pub(crate) model_bytes: &'e [u8],
    pub(crate) model: ModelBox,
}

impl Lane<'_> {
    /// Evaluates one case.
    pub(crate) async fn evaluate(
        &mut self,
        case: &Case,
    ) -> Result<SiteLocal<Checkpoint>, LaneError> {
        let row = row_digest(case);
        let failed = |reason, image| {
            let attributes = BTreeMap::new();
            SiteLocal::new(Checkpoint {
                row,
                outcome: CaseOutcome::Failed(reason),
                attributes,
                image,
            })
        };
        if case.reference.is_none() {
            return Ok(failed(FailureReason::NoReference, None));
        }
        let Some(bytes) = read_image(&case.image, self.max_file_bytes).await else {
            return Ok(failed(FailureReason::Undecodable, None));
        };
        let image = Some(Sha256Digest::of(&bytes));
        let request = DecodeRequest {
            input: &self.protocol.model.input,
            dicom_attributes: self.keywords,
            bytes: &bytes,
        };
        let decoded = match self.decoder.decode(&request).await {
            Ok(decoded) => decoded,
            // No log line: whoever counts them knows how many of a site's cases fail.
            Err(DecodeFailure::Case { reason, .. }) => return Ok(failed(reason, image)),
            Err(error) => return Err(LaneError::Machine(error)),
        };
        let outcome = self.score(&decoded.open_on_site().tensor).await?;
        Ok(decoded.map(|decoded| Checkpoint {
            row,
            outcome,
            attributes: decoded.attributes,
            image,
        }))
    }

    async fn score(&mut self, tensor: &[f32]) -> Result<CaseOutcome, LaneError> {
        let mut tries = 0;
        loop {
            match self.model.score(tensor).await {
                Ok(score) => return Ok(CaseOutcome::Score(score.open_on_site().to_bits())),
                Err(ScoreError::Invalid) => {
                    return Ok(CaseOutcome::Failed(FailureReason::InvalidOutput));
                }
                Err(error) if tries == MODEL_RETRIES => return Err(LaneError::ModelDies(error)),
                Err(_) => {
                    tries += 1;
                    self.model = ModelBox::load(
                        self.program,
                        self.limits,
                        &self.protocol.model,
                        self.model_bytes,
                    )
                    .await?;
                }
            }
        }
    }
}

/// The image file's bytes; `None` where it went away since the manifest was read, or is larger than
/// anything that would be decoded.
async fn read_image(path: &Path, max_bytes: u64) -> Option<Vec<u8>> {
    // Opening a pipe would wait for a writer that never comes.
    if !tokio::fs::metadata(path).await.ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await.ok()?;
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).await.ok()?;
    (bytes.len() as u64 <= max_bytes).then_some(bytes)
}

/// What a checkpoint belongs to.
pub(crate) fn row_digest(case: &Case) -> Sha256Digest {
    let row = format!("{:?}", (&case.case_id, case.patient, case.reference, &case.image));
    Sha256Digest::of(row.as_bytes())
}
