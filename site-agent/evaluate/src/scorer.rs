//! The second half of a lane: from the model's input to a score.

use std::path::Path;

use fedval_inference::{
    BoxProgram, InferenceLimits, LoadError, LoadedModel, ModelEngine, ScoreError,
};
use fedval_study::Sha256Digest;
use fedval_study::protocol::StudyProtocol;
use fedval_study::summary::FailureReason;
use fedval_vault::CaseOutcome;

use crate::lane::LaneError;
use crate::slabs::{Pooled, slabs};
use crate::{machine, prediction};

/// How often the model's box is started again for one case before the job fails.
pub(crate) const MODEL_RETRIES: u32 = 2;

/// What it takes to load a model, once and again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModelSource<'e> {
    pub(crate) engine: &'e ModelEngine,
    pub(crate) program: &'e BoxProgram,
    pub(crate) limits: &'e InferenceLimits,
    pub(crate) protocol: &'e StudyProtocol,
    pub(crate) file: &'e Path,
    /// Whether somebody else brings the scores together, perhaps on another kind of machine.
    pub(crate) is_shard: bool,
}

impl ModelSource<'_> {
    async fn load(&self) -> Result<LoadedModel, LoadError> {
        self.engine.load(self.program, self.limits, &self.protocol.model, self.file).await
    }
}

/// What a checkpoint belongs to, given its `row` of the manifest: scores of another engine are made anew, because
/// what is looked at again must come back to the last bit.
pub(crate) fn marked(
    row: Sha256Digest,
    engine: &ModelEngine,
    protocol: &StudyProtocol,
) -> Sha256Digest {
    match engine.mark(&protocol.model) {
        None => row,
        Some(mark) => Sha256Digest::of(format!("{row} {mark}").as_bytes()),
    }
}

/// What a failure is that comes back on one case though the model could be loaded again each time. A server that has gone
/// fails there, and the job waits for it; one that is there and fails on a case fails on it tomorrow too.
const fn on_this_case(error: ScoreError) -> ScoreError {
    match error {
        ScoreError::ServerGone => ScoreError::Died,
        other => other,
    }
}

/// A loaded model.
pub(crate) struct Scorer<'e> {
    source: ModelSource<'e>,
    model: LoadedModel,
}

impl<'e> Scorer<'e> {
    /// Loads the model.
    pub(crate) async fn load(source: ModelSource<'e>) -> Result<Self, LoadError> {
        let model = source.load().await?;
        Ok(Self { source, model })
    }

    /// What the checkpoint of a `row` belongs to.
    pub(crate) fn marked(&self, row: Sha256Digest) -> Sha256Digest {
        let row = marked(row, self.source.engine, self.source.protocol);
        if self.source.is_shard { machine::marked(row) } else { row }
    }

    /// Scores one case: at once, or slab by slab where the protocol says so. Of a volume the model holds one slab at a time;
    /// the tensor, whose size is the protocol's however many slices the volume has, is held here while they are scored.
    pub(crate) async fn score(&mut self, tensor: &[f32]) -> Result<CaseOutcome, LaneError> {
        let protocol = self.source.protocol;
        let Some(slab) = protocol.model.input.volume.and_then(|volume| volume.slab) else {
            let scores = self.scores(tensor).await?;
            return Ok(outcome(protocol, scores.as_deref()));
        };
        let mut pooled = Pooled::new(slab.pooling);
        for slab in slabs(&protocol.model.input, tensor) {
            match self.scores(slab).await? {
                Some(scores) => pooled.add(&scores),
                None => return Ok(outcome(protocol, None)),
            }
        }
        Ok(outcome(protocol, pooled.scores().as_deref()))
    }

    /// The model's scores of what it sees at once; `None` of none that can be used. A box that ends is started again, and a
    /// server that has gone is asked again. Either ends the job where it fails on the case every time.
    async fn scores(&mut self, tensor: &[f32]) -> Result<Option<Vec<f64>>, LaneError> {
        let mut tries = 0;
        loop {
            match self.model.scores(tensor).await {
                Ok(scores) => return Ok(Some(scores.open_on_site().clone())),
                Err(ScoreError::Invalid) => return Ok(None),
                // Whoever tried to break out is not asked again.
                Err(error) if tries == MODEL_RETRIES || error == ScoreError::Forbidden => {
                    return Err(LaneError::ModelDies(on_this_case(error)));
                }
                Err(_) => {
                    tries += 1;
                    self.model = self.source.load().await?;
                }
            }
        }
    }
}

fn outcome(protocol: &StudyProtocol, scores: Option<&[f64]>) -> CaseOutcome {
    let invalid = CaseOutcome::Failed(FailureReason::InvalidOutput);
    scores.map_or(invalid, |scores| prediction::outcome(protocol, scores))
}
