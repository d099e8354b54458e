//! The model a protocol pins: file, input and output.

use serde::{Deserialize, Serialize};

use super::volume::VolumeInput;
use super::{GantryTilt, OutputForm};
use crate::canonical::exact_u64;
use crate::digest::ModelDigest;

/// Order of the axes of the input tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Batch, channel, height, width.
    Nchw,
    /// Batch, height, width, channel.
    Nhwc,
}

/// How stored pixel values become the numbers the model sees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueScaling {
    /// Stored value divided by the largest storable one (2^BitsStored − 1): 0 to 1.
    Unit,
    /// Value after DICOM's rescale slope and intercept (Hounsfield units for CT).
    Modality,
    /// Value after rescale, clipped to `low`…`high`, mapped to 0…1.
    Window {
        /// Mapped to 0.
        low: f64,
        /// Mapped to 1.
        high: f64,
    },
    /// What the file's own window or table shows, after rescale: black is 0, white is 1. A file
    /// without either is refused, except where nothing else can be shown (colour, PNG, JPEG).
    Voi,
}

/// What happens to an image whose size is not the input's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// The case fails: the protocol wants images of exactly this size.
    Refuse,
    /// Bilinear interpolation to the input's size, half-pixel centres, aspect ratio not kept.
    Bilinear,
    /// Bilinear to fit inside, centred, the border filled with 0.
    Letterbox,
}

/// What happens to a DICOM image in which white is low (MONOCHROME1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monochrome1 {
    /// Inverted, so that white is high as in MONOCHROME2.
    Invert,
    /// The case fails.
    Refuse,
}

/// Which frame of a DICOM image with several the model sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameChoice {
    /// The only one: the case fails where there are several.
    #[default]
    Only,
    /// The one in the middle; of an even number the earlier of two.
    Middle,
    /// The one of this number, from 1: the case fails where there are fewer.
    Number(u32),
}

impl FrameChoice {
    // Protocols written before there was a choice have no such key, and keep their digest.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    const fn is_only(&self) -> bool {
        matches!(self, Self::Only)
    }
}

/// The model's input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInput {
    /// Name of the graph's input.
    pub name: String,
    /// Axis order.
    pub layout: Layout,
    /// Height, in pixels.
    pub height: u32,
    /// Width, in pixels.
    pub width: u32,
    /// Channels: 1, or 3 (a grey image is repeated).
    pub channels: u32,
    /// Value scaling.
    pub scaling: ValueScaling,
    /// Subtracted after scaling.
    pub mean: f64,
    /// Divides after `mean` was subtracted. Never zero.
    pub standard_deviation: f64,
    /// Resize rule.
    pub resize: Resize,
    /// MONOCHROME1 rule.
    pub monochrome1: Monochrome1,
    /// Frame rule.
    #[serde(default, skip_serializing_if = "FrameChoice::is_only")]
    pub frame: FrameChoice,
    /// Of a model that sees volumes; absent of one that sees pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumeInput>,
}

impl ModelInput {
    /// Number of values that become of one image or volume.
    #[must_use]
    pub const fn values(&self) -> usize {
        let depth = match &self.volume {
            Some(volume) => volume.depth as usize,
            None => 1,
        };
        depth * self.slice_values()
    }

    /// Number of values in one input tensor (batch 1): all of an image, and of a volume those of a slab.
    #[must_use]
    pub const fn values_at_once(&self) -> usize {
        let depth = match &self.volume {
            Some(volume) => volume.depth_at_once() as usize,
            None => 1,
        };
        depth * self.slice_values()
    }

    /// What becomes of a scan with a tilted gantry; a model of pictures sees none.
    #[must_use]
    pub const fn gantry_tilt(&self) -> GantryTilt {
        match &self.volume {
            Some(volume) => volume.gantry_tilt,
            None => GantryTilt::Refuse,
        }
    }

    /// Number of values of an image, or of one slice of a volume.
    #[must_use]
    pub const fn slice_values(&self) -> usize {
        self.height as usize * self.width as usize * self.channels as usize
    }
}

/// Scale of the model's score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreScale {
    /// 0 to 1.
    Probability,
    /// Log odds.
    Logit,
    /// The quantity of a regression, in its unit.
    Value,
}

/// How far from 1 the probabilities of all classes together may be: tables are written with two or three decimals,
/// and models compute with as few. The last billionth is for sums of decimals, which are not exact.
const MOST_FROM_ONE: f64 = 0.02 + 1e-9;

impl ScoreScale {
    /// Whether a case can have these scores: each lies on the scale, and probabilities of several classes are
    /// together one distribution.
    ///
    /// Of a model in its box and of a prediction table alike: neither is trusted to have checked.
    #[must_use]
    pub fn holds(self, scores: &[f64]) -> bool {
        match (self, scores) {
            (_, []) => false,
            (Self::Logit | Self::Value, scores) => scores.iter().all(|score| score.is_finite()),
            (Self::Probability, scores) => {
                let sum: f64 = scores.iter().sum();
                let is_one = scores.len() == 1 || (sum - 1.0).abs() <= MOST_FROM_ONE;
                is_one && scores.iter().all(|score| (0.0..=1.0).contains(score))
            }
        }
    }
}

/// The model's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelOutput {
    /// Name of the graph's output.
    pub name: String,
    /// Scale of the score.
    pub scale: ScoreScale,
    /// Index of the score among the output's values; of the first class's where there are several.
    pub positive_index: u32,
    /// Values from there on that are read: one for each class, or each condition, of the task.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub values: u32,
    /// Whether each value is the score of a condition of its own; otherwise several are those of one patient's
    /// classes.
    #[serde(default, skip_serializing_if = "is_false")]
    pub separate: bool,
    /// Whether it is a score at all; of a mask, `positive_index` is the structure's channel.
    #[serde(default, skip_serializing_if = "OutputForm::is_scores")]
    pub form: OutputForm,
}

impl ModelOutput {
    /// Whether a case can have these scores: as [`ScoreScale::holds`], of each by itself where they are separate.
    #[must_use]
    pub fn holds(&self, scores: &[f64]) -> bool {
        if self.separate {
            !scores.is_empty() && scores.iter().all(|score| self.scale.holds(&[*score]))
        } else {
            self.scale.holds(scores)
        }
    }
}

// As with `values`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

const fn one() -> u32 {
    1
}

// Protocols written before there was a choice have no such key, and keep their digest.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_one(values: &u32) -> bool {
    *values == 1
}

/// The model file and how it is fed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpecification {
    /// Name for people.
    pub name: String,
    /// Digest of the file.
    pub digest: ModelDigest,
    /// Size of the file.
    #[serde(serialize_with = "exact_u64")]
    pub bytes: u64,
    /// Input.
    pub input: ModelInput,
    /// Output.
    pub output: ModelOutput,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_numbers_on_the_scale_are_scores() {
        let holds = |scale: ScoreScale, score: f64| scale.holds(&[score]);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(!holds(ScoreScale::Probability, value));
            assert!(!holds(ScoreScale::Logit, value));
            assert!(!holds(ScoreScale::Value, value));
        }
        for (value, is_probability) in
            [(-1e-9, false), (1.0 + 1e-9, false), (0.0, true), (0.3, true), (1.0, true)]
        {
            assert_eq!(holds(ScoreScale::Probability, value), is_probability, "{value}");
        }
        assert!(holds(ScoreScale::Logit, -13.0) && holds(ScoreScale::Value, -1e6));
        assert!(!ScoreScale::Logit.holds(&[]) && !ScoreScale::Probability.holds(&[]));
    }

    #[test]
    fn probabilities_of_several_classes_are_one_distribution() {
        for (scores, is_one) in [
            ([0.2, 0.3, 0.5], true),
            // As far from 1 as decimals may lead.
            ([0.34, 0.34, 0.34], true),
            ([0.32, 0.33, 0.33], true),
            ([1.0, 0.0, 0.0], true),
            // Further.
            ([0.35, 0.34, 0.34], false),
            ([0.32, 0.32, 0.33], false),
            ([0.9, 0.8, 0.7], false),
            ([0.0, 0.0, 0.0], false),
            ([1.2, -0.1, -0.1], false),
            ([f64::NAN, 0.5, 0.5], false),
        ] {
            assert_eq!(ScoreScale::Probability.holds(&scores), is_one, "{scores:?}");
        }
        // Logits of several classes add up to anything.
        assert!(ScoreScale::Logit.holds(&[7.0, -2.0, 0.5]));
    }
}
