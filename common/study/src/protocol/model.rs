//! The model a protocol pins: file, input and output.

use serde::{Deserialize, Serialize};

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
}

impl ModelInput {
    /// Number of values in one input tensor (batch 1).
    #[must_use]
    pub const fn values(&self) -> usize {
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
    /// Values from there on that are read: one for each class of the task.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub values: u32,
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
