//! From what a model gives of a case to what is kept of it: a score, what its mask measures, or the boxes that count.

use fedval_inference::ModelAnswer;
use fedval_ingest::{DecodeFailure, Decoder, ImageFrame, OutputRequest};
use fedval_study::protocol::{OutputForm, StudyProtocol};
use fedval_study::summary::FailureReason;
use fedval_vault::CaseOutcome;

use crate::lane::LaneError;
use crate::reader::NoImage;
use crate::{boxes, mask_lane, prediction};

/// What a case was held against, and where a mask is measured.
pub(crate) struct Judge<'e> {
    pub(crate) protocol: &'e StudyProtocol,
    /// A box of its own: no image and no mask of another case is in it. It is not started where nothing is measured.
    pub(crate) decoder: Decoder,
}

/// What is judged of a case.
pub(crate) struct Judged<'c> {
    /// What the model gave; none where that is not what the protocol says.
    pub(crate) answer: Option<&'c ModelAnswer>,
    /// The pixels of the image that the model saw, or the voxels of the volume.
    pub(crate) frame: &'c ImageFrame,
    /// The file of the reference standard's mask.
    pub(crate) outline: Option<&'c [u8]>,
}

impl Judge<'_> {
    /// What is kept of a case: of a mask its measures alone.
    pub(crate) async fn outcome(&mut self, case: &Judged<'_>) -> Result<CaseOutcome, LaneError> {
        let (model, Some(answer)) = (&self.protocol.model, case.answer) else {
            return Ok(CaseOutcome::Failed(FailureReason::InvalidOutput));
        };
        match (answer, model.output.form) {
            (ModelAnswer::Scores(scores), OutputForm::Scores) => {
                Ok(prediction::outcome(self.protocol, scores))
            }
            (ModelAnswer::Tensor(values), OutputForm::Mask(_)) => {
                self.measured(values, case.frame, case.outline).await
            }
            (ModelAnswer::Tensor(values), OutputForm::Boxes(form)) => {
                let plan = self.protocol.task.detection();
                let found = plan
                    .and_then(|plan| boxes::findings(values, form, plan, case.frame, &model.input));
                let failed = CaseOutcome::Failed(FailureReason::InvalidOutput);
                Ok(found.map_or(failed, CaseOutcome::Boxes))
            }
            _ => Ok(CaseOutcome::Failed(FailureReason::InvalidOutput)),
        }
    }

    /// Holds the model's numbers against the reference standard's mask, in the decoder's box.
    async fn measured(
        &mut self,
        values: &[f32],
        frame: &ImageFrame,
        outline: Option<&[u8]>,
    ) -> Result<CaseOutcome, LaneError> {
        let (Some(structure), Some(reference)) = (self.protocol.task.structure(), outline) else {
            return Ok(CaseOutcome::Failed(FailureReason::NoReference));
        };
        let model = &self.protocol.model;
        let request = OutputRequest { structure, model, frame, reference, values };
        match self.decoder.compare_output(&request).await {
            Ok(compared) => Ok(mask_lane::outcome(Ok(compared))),
            Err(DecodeFailure::Case { reason, detail }) => {
                Ok(mask_lane::outcome(Err(NoImage { reason, code: detail })))
            }
            Err(error) => Err(LaneError::Machine(error)),
        }
    }
}
