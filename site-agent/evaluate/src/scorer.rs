//! The second half of a lane: from the model's input to what the model gives.

use std::path::Path;

use fedval_disclosure::SiteLocal;
use fedval_inference::{
    BoxProgram, InferenceLimits, LoadError, LoadedModel, ModelAnswer, ModelEngine, ScoreError,
};
use fedval_study::Sha256Digest;
use fedval_study::protocol::{MaskOutput, Slab, StudyProtocol};

use crate::lane::LaneError;
use crate::machine;
use crate::slabs::{Pooled, Stitched, slabs, starts};

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

    /// What the model gives of one case, at once, or slab by slab where the protocol says so; none where that is not what the
    /// protocol says. Of a volume the model holds one slab at a time; the tensor, whose size is the protocol's however many
    /// slices the volume has, is held here meanwhile, and beside it the mask, whose size is the protocol's, too.
    pub(crate) async fn answer(
        &mut self,
        tensor: &[f32],
    ) -> Result<Option<SiteLocal<ModelAnswer>>, LaneError> {
        let protocol = self.source.protocol;
        let Some(slab) = protocol.model.input.volume.and_then(|volume| volume.slab) else {
            return self.at_once(tensor).await;
        };
        if let Some(mask) = protocol.model.output.form.mask() {
            return self.mask_in_slabs(tensor, slab, mask).await;
        }
        let mut pooled = Pooled::new(slab.pooling);
        for slab in slabs(&protocol.model.input, tensor) {
            let answer = self.at_once(slab).await?;
            match answer.as_ref().map(SiteLocal::open_on_site) {
                Some(ModelAnswer::Scores(scores)) => pooled.add(scores),
                // Nothing else is pooled, and no protocol asks for it.
                _ => return Ok(None),
            }
        }
        Ok(pooled.scores().map(|scores| SiteLocal::new(ModelAnswer::Scores(scores))))
    }

    /// The mask of a volume that the model sees in slabs.
    async fn mask_in_slabs(
        &mut self,
        tensor: &[f32],
        slab: Slab,
        mask: MaskOutput,
    ) -> Result<Option<SiteLocal<ModelAnswer>>, LaneError> {
        let protocol = self.source.protocol;
        let input = &protocol.model.input;
        let mut stitched = Stitched::new(slab.pooling, input, mask.channels);
        for (start, slab) in starts(input).into_iter().zip(slabs(input, tensor)) {
            let answer = self.at_once(slab).await?;
            let added = match answer.as_ref().map(SiteLocal::open_on_site) {
                Some(ModelAnswer::Tensor(values)) => stitched.add(start, values),
                _ => None,
            };
            if added.is_none() {
                return Ok(None);
            }
        }
        Ok(stitched.values().map(|values| SiteLocal::new(ModelAnswer::Tensor(values))))
    }

    /// What the model gives of what it sees at once. A box that ends is started again, and a server that has gone is asked
    /// again. Either ends the job where it fails on the case every time.
    async fn at_once(
        &mut self,
        tensor: &[f32],
    ) -> Result<Option<SiteLocal<ModelAnswer>>, LaneError> {
        let mut tries = 0;
        loop {
            match self.model.answer(tensor).await {
                Ok(answer) => return Ok(Some(answer)),
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
