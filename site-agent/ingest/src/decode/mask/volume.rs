//! A model's output of a volume against the mask of the reference standard.
//!
//! The model's numbers are brought back to the file's own voxels by the inverse of preprocessing, and only there does a
//! mask become of them, as of an image. The reference standard's lies on the same grid or is refused; contours are drawn
//! on it. Beyond what the tensor reaches the model said nothing, and holds nothing.

use fedval_preprocess::volume::{VolumeGrid, VolumePlacement};
use fedval_study::protocol::MaskOutput;

use super::output::{OutputRequest, Rule};
use super::{
    Drawing, Lattice, Mask, MaskComparison, Voxels, contours, measured, read, share_frame,
};
use crate::decode::fault::ImageFault;
use crate::decode::image_frame::{ImageFrame, SliceRun};

/// Measures a mask of a volume whose slices are `run`.
///
/// # Errors
///
/// [`ImageFault`], which says nothing about the file's content: [`ImageFault::Geometry`] of a volume that does not say
/// where it lies, [`ImageFault::MaskGrid`] of a reference whose voxels are not its voxels, and those of a mask that
/// cannot be read.
pub(super) fn compared(
    request: &OutputRequest<'_>,
    mask: MaskOutput,
    run: SliceRun,
) -> Result<MaskComparison, ImageFault> {
    let OutputRequest { structure, model, frame, values, .. } = *request;
    let lattice = lattice(frame, run).ok_or(ImageFault::Geometry)?;
    let grid = VolumeGrid { lengths: lattice.lengths, steps: lattice.steps };
    let placement = VolumePlacement::of(&grid, &model.input)?;
    let turned = lattice.turned()?;
    let voxels = Voxels::none(turned.grid.shape)?;
    let frame_of_reference = frame.place.and_then(|place| place.frame_of_reference);
    let mut predicted = Mask { grid: turned.grid, voxels, cut: None, frame_of_reference };
    let (reference, offset) = match read(request.reference, structure)? {
        Drawing::Voxels(reference) => {
            let offset = offset(&reference, &predicted)?;
            (reference, offset)
        }
        Drawing::Contours(contours) => (contours::drawn(&contours, &predicted)?, [0; 3]),
    };
    let rule = Rule::of(&model.output, mask);
    let (rule, values, channels) = looked_at(rule, values, mask.channels as usize)?;
    let [columns, rows, slices] = &turned.offsets;
    placement.each_voxel(values, channels, |[column, row, slice], numbers| {
        if rule.holds(numbers) {
            predicted.voxels.add(columns[column] + rows[row] + slices[slice]);
        }
    })?;
    measured::compared(&reference, &predicted, offset, structure)
}

/// The rule, the numbers of the channels that it looks at, and how many these are: no other is brought back.
fn looked_at(
    rule: Rule,
    values: &[f32],
    channels: usize,
) -> Result<(Rule, &[f32], usize), ImageFault> {
    match rule {
        Rule::AtLeast(channel, least) => {
            let own = of_channel(values, channels, channel)?;
            Ok((Rule::AtLeast(0, least), own, 1))
        }
        Rule::Highest(_) => Ok((rule, values, channels)),
    }
}

/// The numbers of one channel of so many.
fn of_channel(values: &[f32], channels: usize, channel: usize) -> Result<&[f32], ImageFault> {
    let each = values.len().checked_div(channels).unwrap_or_default();
    let is_whole = each.checked_mul(channels) == Some(values.len());
    let own = values.get(each.saturating_mul(channel)..).and_then(|rest| rest.get(..each));
    own.filter(|_| is_whole).ok_or(ImageFault::PixelCount)
}

/// Where a volume's voxels lie, as its file counts them; `None` where it does not say it.
fn lattice(frame: &ImageFrame, run: SliceRun) -> Option<Lattice> {
    let place = frame.place?;
    Some(Lattice {
        lengths: [frame.width, frame.height, run.count],
        steps: [place.column_step, place.row_step, run.step],
        origin: place.origin,
    })
}

/// How many voxels further than the reference's first one the image's first one lies along each axis. Both have the same
/// voxels; of a file that leaves out slices without the structure, all of its own are the image's.
fn offset(reference: &Mask, image: &Mask) -> Result<[i64; 3], ImageFault> {
    let is_shared = share_frame(reference.frame_of_reference, image.frame_of_reference)?;
    let Some(cut) = reference.cut else {
        let is_same = reference.grid.agrees(&image.grid);
        return is_same.then_some([0; 3]).ok_or(ImageFault::MaskGrid);
    };
    let offset = reference.grid.offset_to(&image.grid).ok_or(ImageFault::MaskGrid)?;
    let is_within = |axis: usize| {
        let (own, whole) = (reference.grid.shape[axis], image.grid.shape[axis]);
        if axis != cut {
            return offset[axis] == 0 && own == whole;
        }
        let first = offset[axis].checked_neg().and_then(|first| usize::try_from(first).ok());
        first.and_then(|first| first.checked_add(own)).is_some_and(|end| end <= whole)
    };
    // What is left out is empty only where the file is known to be of this image.
    let is_whole = reference.grid.shape == image.grid.shape;
    let fits = (0..3).all(is_within) && (is_shared || is_whole);
    fits.then_some(offset).ok_or(ImageFault::MaskGrid)
}
