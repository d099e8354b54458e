//! A model whose mask is what it is shown.

use fedval_study::digest::{ModelDigest, Sha256Digest};
use fedval_study::protocol::{
    MaskOutput, MaskRule, ModelInput, ModelOutput, ModelSpecification, OutputForm, ScoreScale,
};

/// A model that gives a probability for each pixel or voxel.
pub(crate) fn mirror(input: ModelInput) -> ModelSpecification {
    ModelSpecification {
        name: "mirror".to_owned(),
        digest: ModelDigest(Sha256Digest::of(b"mirror")),
        bytes: 6,
        input,
        output: ModelOutput {
            name: "mask".to_owned(),
            scale: ScoreScale::Probability,
            positive_index: 0,
            values: 1,
            separate: false,
            form: OutputForm::Mask(MaskOutput { channels: 1, rule: MaskRule::Threshold(500_000) }),
        },
    }
}
