//! The input of a model that sees a volume: how large, how fine, which way round.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A direction of the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Towards {
    /// To the right hand.
    Right,
    /// To the left hand.
    Left,
    /// To the front.
    Front,
    /// To the back.
    Back,
    /// To the head.
    Head,
    /// To the feet.
    Feet,
}

impl Towards {
    const LETTERS: [(char, Self); 6] = [
        ('R', Self::Right),
        ('L', Self::Left),
        ('A', Self::Front),
        ('P', Self::Back),
        ('S', Self::Head),
        ('I', Self::Feet),
    ];

    /// Which of the patient's axes it lies on (right, front, head), and whether it goes there or away.
    #[must_use]
    pub const fn axis(self) -> (usize, bool) {
        match self {
            Self::Right => (0, true),
            Self::Left => (0, false),
            Self::Front => (1, true),
            Self::Back => (1, false),
            Self::Head => (2, true),
            Self::Feet => (2, false),
        }
    }
}

/// Where each axis of a tensor goes, in the tensor's order: depth, height, width.
///
/// Written with the letters of anatomy (right, left, anterior, posterior, superior, inferior). `SPL` is a stack of
/// axial slices from feet to head, each as DICOM shows it; `RAS` is what a tensor of axes x, y, z is that was turned to
/// NIfTI's own directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AxisOrder([Towards; 3]);

impl AxisOrder {
    /// Axial slices from feet to head.
    pub const AXIAL: Self = Self([Towards::Head, Towards::Back, Towards::Left]);

    /// Of depth, height and width.
    #[must_use]
    pub const fn towards(self) -> [Towards; 3] {
        self.0
    }
}

/// A text that is no order of axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not three letters, one of R and L, one of A and P, one of S and I")]
pub struct NoAxisOrder;

impl FromStr for AxisOrder {
    type Err = NoAxisOrder;

    fn from_str(text: &str) -> Result<Self, NoAxisOrder> {
        let known = |letter: char| Towards::LETTERS.iter().find(|(known, _)| *known == letter);
        let towards: Vec<Towards> =
            text.chars().filter_map(known).map(|(_, towards)| *towards).collect();
        let [first, second, third] = towards[..] else { return Err(NoAxisOrder) };
        let on = |axis: usize| [first, second, third].iter().any(|t| t.axis().0 == axis);
        let is_order = text.chars().count() == 3 && (0..3).all(on);
        if is_order { Ok(Self([first, second, third])) } else { Err(NoAxisOrder) }
    }
}

impl TryFrom<String> for AxisOrder {
    type Error = NoAxisOrder;

    fn try_from(text: String) -> Result<Self, NoAxisOrder> {
        text.parse()
    }
}

impl From<AxisOrder> for String {
    fn from(order: AxisOrder) -> Self {
        order.to_string()
    }
}

impl fmt::Display for AxisOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for towards in self.0 {
            let letter = Towards::LETTERS.iter().find(|(_, known)| *known == towards);
            write!(f, "{}", letter.map_or('?', |(letter, _)| *letter))?;
        }
        Ok(())
    }
}

/// What becomes of the scores of a volume's slabs; of a mask, of the numbers that several slabs give for one voxel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlabPooling {
    /// The largest: of a single score, or of each condition's.
    Max,
    /// The mean of each, on the scale of the model's score.
    Mean,
}

/// A model that sees a volume in slabs of slices, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slab {
    /// Slices of a slab. Of a single one the model sees a picture: batch, channel, height, width.
    pub depth: u32,
    /// Slices that a slab shares with the one before it.
    pub overlap: u32,
    /// What the scores become, or a mask's numbers in slices that slabs share.
    pub pooling: SlabPooling,
}

impl Slab {
    /// Where slabs begin in a volume of `depth` slices. The last one ends with the volume: where the slices do not come
    /// out even it shares more with the one before.
    #[must_use]
    pub fn starts(self, depth: u32) -> Vec<u32> {
        let last = depth.saturating_sub(self.depth);
        let step = self.depth.saturating_sub(self.overlap).max(1);
        let mut starts: Vec<u32> =
            (0..last).step_by(usize::try_from(step).unwrap_or(usize::MAX)).collect();
        starts.push(last);
        starts
    }
}

/// What becomes of slices that lie beside each other because the gantry was tilted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GantryTilt {
    /// The case fails.
    #[default]
    Refuse,
    /// Each slice is shifted back in its own plane, linearly between its pixels.
    Resample,
}

impl GantryTilt {
    // Protocols written before there was a choice have no such key, and keep their digest.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    const fn is_refused(&self) -> bool {
        matches!(self, Self::Refuse)
    }
}

/// The input of a model that sees volumes. Height, width and everything of values stand in
/// [`ModelInput`](super::ModelInput); the tensor is batch, channel, depth, height, width.
///
/// A volume is not stretched to the input: it keeps its millimetres. Its middle comes to the tensor's middle; what lies
/// beyond the tensor is cut off, and where the volume ends before it there is `padding`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeInput {
    /// Slices of the tensor.
    pub depth: u32,
    /// What becomes of a scan with a tilted gantry.
    #[serde(default, skip_serializing_if = "GantryTilt::is_refused")]
    pub gantry_tilt: GantryTilt,
    /// Where depth, height and width go.
    pub orientation: AxisOrder,
    /// From one voxel of the tensor to the next along depth, height and width, in millimetres.
    pub spacing_mm: [f64; 3],
    /// What stands where the volume does not reach, as a value before window, mean and standard deviation.
    pub padding: f64,
    /// How the model sees it; absent of one that sees it whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slab: Option<Slab>,
}

impl VolumeInput {
    /// Slices that the model sees at once.
    #[must_use]
    pub const fn depth_at_once(&self) -> u32 {
        match self.slab {
            Some(slab) => slab.depth,
            None => self.depth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_one_letter_of_each_axis() {
        for text in ["SPL", "RAS", "LPS", "IAR", "PSR"] {
            let order: AxisOrder = text.parse().unwrap();
            assert_eq!(order.to_string(), text);
            assert_eq!(serde_json::to_string(&order).unwrap(), format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<AxisOrder>(&format!("\"{text}\"")).unwrap(), order);
        }
        for text in ["", "SP", "SPLL", "SPP", "RLS", "spl", "SxPL", "S P"] {
            assert!(text.parse::<AxisOrder>().is_err(), "{text}");
        }
        assert_eq!(AxisOrder::AXIAL.to_string(), "SPL");
    }

    #[test]
    fn slabs_cover_every_slice_and_end_with_the_volume() {
        let starts =
            |depth, overlap, of| Slab { depth, overlap, pooling: SlabPooling::Max }.starts(of);
        assert_eq!(starts(16, 0, 48), [0, 16, 32]);
        assert_eq!(starts(16, 0, 40), [0, 16, 24]);
        assert_eq!(starts(16, 8, 32), [0, 8, 16]);
        assert_eq!(starts(5, 0, 5), [0]);
        assert_eq!(starts(1, 0, 3), [0, 1, 2]);
    }
}
