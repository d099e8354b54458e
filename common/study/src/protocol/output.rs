//! What a model's output is, where it is no score: a mask or boxes, in the frame that the model saw.

use serde::{Deserialize, Serialize};

use super::Suppression;

/// Most channels of a mask.
pub const MOST_MASK_CHANNELS: u32 = 64;

/// Most values of a mask over all channels: 4096 pixels in both directions. An output of exactly the protocol's size
/// leaves the model's box, and no other does.
pub const MOST_MASK_VALUES: u64 = 1 << 24;

/// The same of a volume's mask, over all slices and channels: as many as a volume has voxels, a quarter of a gibibyte
/// of them. They leave the model's box at once, or slab by slab.
pub const MOST_VOLUME_MASK_VALUES: u64 = 1 << 26;

/// What is read of the model's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputForm {
    /// A score, or one for each class. In a study of masks or of findings no model runs: sites bring what it made.
    #[default]
    Scores,
    /// A number for each pixel of the input, or one for each pixel of each channel; of a volume for each voxel.
    Mask(MaskOutput),
    /// Boxes in pixels of the input, a row for each.
    Boxes(BoxOutput),
}

impl OutputForm {
    // Protocols written before there was a choice have no such key, and keep their digest.
    pub(super) const fn is_scores(&self) -> bool {
        matches!(self, Self::Scores)
    }

    /// The mask, where it is one.
    #[must_use]
    pub const fn mask(self) -> Option<MaskOutput> {
        match self {
            Self::Mask(mask) => Some(mask),
            Self::Scores | Self::Boxes(_) => None,
        }
    }

    /// The boxes, where they are.
    #[must_use]
    pub const fn boxes(self) -> Option<BoxOutput> {
        match self {
            Self::Boxes(boxes) => Some(boxes),
            Self::Scores | Self::Mask(_) => None,
        }
    }
}

/// When a pixel belongs to the structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskRule {
    /// Where the probability in the structure's channel is at least this, in 10⁻⁶: also for a model that gives logits.
    Threshold(u32),
    /// Where the structure's channel has the highest number; of equals the lower channel has it.
    Highest,
}

/// A mask as a model gives it: a tensor of batch one, of the input's height and width (of a volume also its depth, or
/// that of a slab) and of so many channels, its axes in the order of the input's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskOutput {
    /// Channels, one of which is the structure's.
    pub channels: u32,
    /// When a pixel belongs to the structure.
    pub rule: MaskRule,
}

/// Boxes as a model gives them: `[N, 5]` or `[1, N, 5]`, each row the left, upper, right and lower edge and the score;
/// with a class behind them six numbers. Edges are in pixels of the input: 0 is the outer edge of the first pixel.
/// A row of score 0 is none: lists of a fixed length are filled up with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoxOutput {
    /// The class whose boxes are findings; without it, rows have five numbers and all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<u32>,
    /// Which of overlapping boxes stays; without it all do: the model's graph has seen to it, or need not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_maximum_suppression: Option<Suppression>,
}

impl BoxOutput {
    /// Numbers of a row.
    #[must_use]
    pub const fn columns(self) -> usize {
        if self.class.is_some() { 6 } else { 5 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ClassScope;

    #[test]
    fn forms_are_written_as_they_are_read() {
        let mask = MaskOutput { channels: 2, rule: MaskRule::Threshold(500_000) };
        let all = BoxOutput { class: None, non_maximum_suppression: None };
        let suppression = Suppression { candidates: 9, classes: ClassScope::Apart, iou: 500 };
        for (form, text) in [
            (OutputForm::Scores, r#""scores""#),
            (OutputForm::Mask(mask), r#"{"mask":{"channels":2,"rule":{"threshold":500000}}}"#),
            (
                OutputForm::Mask(MaskOutput { rule: MaskRule::Highest, ..mask }),
                r#"{"mask":{"channels":2,"rule":"highest"}}"#,
            ),
            (OutputForm::Boxes(all), r#"{"boxes":{}}"#),
            (OutputForm::Boxes(BoxOutput { class: Some(3), ..all }), r#"{"boxes":{"class":3}}"#),
            (
                OutputForm::Boxes(BoxOutput { non_maximum_suppression: Some(suppression), ..all }),
                r#"{"boxes":{"non_maximum_suppression":{"candidates":9,"classes":"apart","iou":500}}}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&form).unwrap(), text);
            assert_eq!(serde_json::from_str::<OutputForm>(text).unwrap(), form);
        }
    }
}
