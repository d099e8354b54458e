//! What is measured of two masks on one grid.

use std::ops::Range;

use fedval_stats::NotEstimable;
use fedval_stats::segmentation::{
    Masks, Presence, SurfaceDistances, overlap, surfel, voxel_border,
};
use fedval_study::protocol::{Border, Structure};
use ndarray::{ArrayD, IxDyn};

use super::{MAX_MASK_VOXELS, Mask, MaskComparison, MaskMeasures};
use crate::decode::fault::ImageFault;

/// The percentile of the distances between two surfaces.
const HD95: f64 = 0.95;

pub(super) fn compared(
    reference: &Mask,
    predicted: &Mask,
    offset: [i64; 3],
    structure: &Structure,
) -> Result<MaskComparison, ImageFault> {
    let presence = match (reference.voxels.is_empty(), predicted.voxels.is_empty()) {
        (true, true) => Presence::Neither,
        (false, true) => Presence::OnlyReference,
        (true, false) => Presence::OnlyPredicted,
        (false, false) => Presence::Both,
    };
    let measures = match presence {
        // Only a step that is none, or beyond any, makes two masks with voxels unmeasurable.
        Presence::Both => Some(
            measures(reference, predicted, offset, structure)
                .map_err(|_| ImageFault::MaskSpacing)?,
        ),
        _ => None,
    };
    Ok(MaskComparison { presence, measures })
}

fn measures(
    reference: &Mask,
    predicted: &Mask,
    offset: [i64; 3],
    structure: &Structure,
) -> Result<MaskMeasures, NotEstimable> {
    let masks = masks(reference, predicted, offset)?;
    let distances = surfaces(&masks, structure.border)?;
    Ok(MaskMeasures {
        dice: overlap(&masks).dice()?,
        hd95_mm: distances.hausdorff_percentile(HD95)?,
        nsd: distances.normalised_surface_dice(structure.tolerance_mm())?,
    })
}

fn surfaces(masks: &Masks, border: Border) -> Result<SurfaceDistances, NotEstimable> {
    match border {
        Border::VoxelBorder => voxel_border(masks),
        Border::Surfel => surfel(masks),
    }
}

/// Both masks, of the smallest box that holds them, by the reference's places. Only this is spread out to a byte a voxel.
fn masks(reference: &Mask, predicted: &Mask, offset: [i64; 3]) -> Result<Masks, NotEstimable> {
    let one = placed(reference, [0; 3])?;
    let other = placed(predicted, offset)?;
    let part = [0, 1, 2]
        .map(|axis| one[axis].start.min(other[axis].start)..one[axis].end.max(other[axis].end));
    let sides = side_lengths(&part)?;
    // A slice is one in both masks, however much of the patient either file holds.
    let axes =
        axes([0, 1, 2].map(|axis| {
            reference.grid.shape[axis].max(predicted.grid.shape[axis]).max(sides[axis])
        }));
    let shape: Vec<usize> = axes.iter().map(|axis| sides[*axis]).collect();
    let of = |mask: &Mask, offset: [i64; 3]| {
        let own =
            [0, 1, 2].map(|axis| part[axis].start - offset[axis]..part[axis].end - offset[axis]);
        ArrayD::from_shape_vec(IxDyn(&shape), mask.voxels.part(&own))
            .map_err(|_| NotEstimable::InvalidInput)
    };
    let spacing = reference.grid.spacing();
    let spacing: Vec<f64> = axes.iter().map(|axis| spacing[*axis]).collect();
    Masks::new(&of(reference, [0; 3])?, &of(predicted, offset)?, &spacing)
}

/// A mask's smallest box, moved.
fn placed(mask: &Mask, offset: [i64; 3]) -> Result<[Range<i64>; 3], NotEstimable> {
    let bounds = mask.voxels.bounds().ok_or(NotEstimable::EmptyInput)?;
    let at = |place: usize| i64::try_from(place).map_err(|_| NotEstimable::InvalidInput);
    let mut moved = [const { 0..0 }; 3];
    for axis in 0..3 {
        let (start, end) = (at(bounds[axis].start)?, at(bounds[axis].end)?);
        moved[axis] = start + offset[axis]..end + offset[axis];
    }
    Ok(moved)
}

/// Voxels along each side of a box; two structures may be further apart than any volume is large.
fn side_lengths(part: &[Range<i64>; 3]) -> Result<[usize; 3], NotEstimable> {
    let mut sides = [0; 3];
    for (side, range) in sides.iter_mut().zip(part) {
        *side = usize::try_from(range.end - range.start).map_err(|_| NotEstimable::InvalidInput)?;
    }
    let voxels = sides.iter().try_fold(1_usize, |voxels, side| voxels.checked_mul(*side));
    let fits = voxels.is_some_and(|voxels| voxels <= MAX_MASK_VOXELS);
    if fits { Ok(sides) } else { Err(NotEstimable::InvalidInput) }
}

/// The axes that voxels extend along. One of a single voxel is none, as long as two are left: of a slice, every voxel
/// would otherwise lie at the volume's end and be surface.
fn axes(shape: [usize; 3]) -> Vec<usize> {
    let flat = (0..3).find(|axis| shape[*axis] == 1);
    (0..3).filter(|axis| Some(*axis) != flat).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_has_two_axes_whichever_way_it_lies() {
        assert_eq!(axes([4, 5, 6]), [0, 1, 2]);
        assert_eq!(axes([1, 5, 6]), [1, 2]);
        assert_eq!(axes([4, 1, 6]), [0, 2]);
        assert_eq!(axes([1, 1, 6]), [1, 2]);
    }
}
