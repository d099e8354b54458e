//! A model's output against the mask of the reference standard.
//!
//! The model's numbers are brought back to the image's own pixels by the inverse of preprocessing, and only there does
//! a mask become of them. The reference standard's is taken as it is: nothing of it is ever interpolated.

use std::fmt;

use fedval_preprocess::vector::{cross, length, scaled};
use fedval_preprocess::{Placement, Size};
use fedval_study::protocol::{
    MaskOutput, MaskRule, ModelOutput, ModelSpecification, ScoreScale, Structure,
};

use super::plane::Plane;
use super::{
    Drawing, Grid, Mask, MaskComparison, Space, Voxels, contours, measured, read, share_frame,
    volume,
};
use crate::decode::fault::ImageFault;
use crate::decode::image_frame::{FramePlace, ImageFrame};

/// One, in millionths.
const MICRO: f64 = 1e6;

/// A model's output to hold against a mask.
#[derive(Clone, Copy)]
pub struct OutputRequest<'a> {
    /// What is outlined, and how it is measured.
    pub structure: &'a Structure,
    /// The model that gave the output, which is a mask.
    pub model: &'a ModelSpecification,
    /// The pixels of the image that the model saw, or the voxels of the volume.
    pub frame: &'a ImageFrame,
    /// The reference standard's file.
    pub reference: &'a [u8],
    /// The output's numbers, in the order of the input's axes; of a volume those of all its slabs, each voxel once.
    pub values: &'a [f32],
}

impl fmt::Debug for OutputRequest<'_> {
    /// Shows nothing of a case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OutputRequest(..)")
    }
}

/// Reads the reference standard's mask and measures what the model gave, in this process: only for bytes that are
/// trusted, and inside a box.
///
/// # Errors
///
/// [`ImageFault`], which says nothing about the file's content: of a mask that cannot be read, and of one whose voxels
/// are not the image's pixels, or lie in another frame of reference. Contours are drawn on the image's own grid, where it
/// says where it lies.
pub fn compare_output(request: &OutputRequest<'_>) -> Result<MaskComparison, ImageFault> {
    let OutputRequest { structure, model, frame, values, .. } = *request;
    let mask = model.output.form.mask().ok_or(ImageFault::PixelCount)?;
    if let Some(run) = frame.slices {
        return volume::compared(request, mask, run);
    }
    let size = frame.size().ok_or(ImageFault::Size)?;
    let placement = Placement::of(size, &model.input)?;
    let reference = match read(request.reference, structure)? {
        Drawing::Voxels(reference) => in_frame(reference, frame, size)?,
        Drawing::Contours(contours) => {
            let place = frame.place.ok_or(ImageFault::MaskNoGrid)?;
            let grid = grid_of(&place, size);
            if !grid.is_upright() {
                return Err(ImageFault::Orientation);
            }
            let voxels = Voxels::none(grid.shape)?;
            let frame_of_reference = place.frame_of_reference;
            let on = Mask { grid, voxels, cut: None, frame_of_reference };
            contours::drawn_on_image(&contours, &on)?
        }
    };
    let mut voxels = Voxels::none([1, size.height, size.width])?;
    let channels = mask.channels as usize;
    let rule = Rule::of(&model.output, mask);
    placement.each_pixel(values, model.input.layout, channels, |place, numbers| {
        if rule.holds(numbers) {
            voxels.add(place);
        }
    })?;
    let (grid, frame_of_reference) = (reference.grid, reference.frame_of_reference);
    let predicted = Mask { grid, voxels, cut: None, frame_of_reference };
    measured::compared(&reference, &predicted, [0; 3], structure)
}

/// The part of a mask that the image shows, in the image's own rows and columns.
fn in_frame(mask: Mask, frame: &ImageFrame, size: Size) -> Result<Mask, ImageFault> {
    let shape = [1, size.height, size.width];
    let place = match (mask.grid.space, frame.place) {
        // A picture is the image's whatever the image's file says of the patient.
        (Space::Picture { .. }, _) if mask.grid.shape == shape => return Ok(mask),
        (Space::Patient { .. }, Some(place)) => place,
        _ => return Err(ImageFault::MaskGrid),
    };
    let is_shared = share_frame(mask.frame_of_reference, place.frame_of_reference)?;
    let cut = Plane::of(&mask.grid, &place, size).ok_or(ImageFault::MaskGrid)?;
    let mut voxels = Voxels::none(shape)?;
    match cut.slice(&mask.grid) {
        Some(slice) => {
            for index in 0..size.pixels() {
                let pixel = [index / size.width, index % size.width];
                if mask.voxels.holds(cut.voxel(&mask.grid, slice, pixel)) {
                    voxels.add(index);
                }
            }
        }
        // Slices without the structure are left out of such a file. Of another acquisition's, all of them would be.
        None if mask.cut.is_some() && is_shared => {}
        None => return Err(ImageFault::MaskGrid),
    }
    let grid = grid_of(&place, size);
    Ok(Mask { grid, voxels, cut: None, frame_of_reference: place.frame_of_reference })
}

/// The pixels of an image as a single slice. What lies across is not measured: its step is the smaller side of a pixel.
fn grid_of(place: &FramePlace, size: Size) -> Grid {
    let FramePlace { origin, row_step, column_step, .. } = *place;
    let normal = cross(row_step, column_step);
    let by = length(row_step).min(length(column_step)) / length(normal);
    let steps = [scaled(normal, by), row_step, column_step];
    Grid { shape: [1, size.height, size.width], space: Space::Patient { origin, steps } }
}

/// When a pixel belongs to the structure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// Where this channel's number is at least so much.
    AtLeast(usize, f32),
    /// Where this channel's number is the highest.
    Highest(usize),
}

impl Rule {
    /// The threshold is brought to the model's own scale and precision: a number that is written as the threshold is
    /// belongs to the structure.
    #[expect(clippy::cast_possible_truncation, reason = "to the precision of the model's numbers")]
    pub(super) fn of(output: &ModelOutput, mask: MaskOutput) -> Self {
        let channel = output.positive_index as usize;
        match mask.rule {
            MaskRule::Highest => Self::Highest(channel),
            MaskRule::Threshold(micro) => {
                let probability = f64::from(micro) / MICRO;
                let least = match output.scale {
                    ScoreScale::Logit => (probability / (1.0 - probability)).ln(),
                    ScoreScale::Probability | ScoreScale::Value => probability,
                };
                Self::AtLeast(channel, least as f32)
            }
        }
    }

    /// Of equal channels the lower one is the highest. What is no number belongs to nothing.
    pub(super) fn holds(self, numbers: &[f32]) -> bool {
        match self {
            Self::AtLeast(channel, least) => {
                numbers.get(channel).is_some_and(|number| *number >= least)
            }
            Self::Highest(channel) => numbers.get(channel).is_some_and(|own| {
                let mut others = numbers.iter().enumerate();
                others.all(
                    |(other, number)| if other < channel { own > number } else { own >= number },
                )
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_channels_the_lower_one_is_the_highest() {
        let of = |channel: usize, numbers: &[f32]| Rule::Highest(channel).holds(numbers);
        assert!(of(1, &[0.1, 0.7, 0.2]) && !of(0, &[0.1, 0.7, 0.2]));
        assert!(of(0, &[0.5, 0.5]) && !of(1, &[0.5, 0.5]));
        assert!(!of(0, &[f32::NAN, 0.5]) && !of(2, &[0.1, 0.2]));
    }

    #[test]
    fn a_threshold_is_a_probability_on_either_scale() {
        let output = |scale| ModelOutput {
            name: "mask".to_owned(),
            scale,
            positive_index: 0,
            values: 1,
            separate: false,
            form: fedval_study::protocol::OutputForm::default(),
        };
        let rule = |scale, micro| {
            Rule::of(&output(scale), MaskOutput { channels: 1, rule: MaskRule::Threshold(micro) })
        };
        // 0.7 has another neighbour in 32 bits than in 64: it counts as 0.7 all the same.
        assert!(rule(ScoreScale::Probability, 700_000).holds(&[0.7]));
        assert!(!rule(ScoreScale::Probability, 700_000).holds(&[0.7_f32.next_down()]));
        assert!(rule(ScoreScale::Logit, 500_000).holds(&[0.0]));
        assert!(!rule(ScoreScale::Logit, 500_000).holds(&[-1e-6]));
        assert!(
            rule(ScoreScale::Logit, 900_000).holds(&[2.198])
                && !rule(ScoreScale::Logit, 900_000).holds(&[2.197])
        );
    }
}
