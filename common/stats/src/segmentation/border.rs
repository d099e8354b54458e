//! Surfaces as border voxels.

use super::nearest::squared_distances_at;
use super::rows::Rows;
use super::surface::{Percentile, SurfaceDistances};
use super::{Masks, Volume};
use crate::NotEstimable;

/// Distances between the border voxels of two masks, each counting once: between the centres of voxels, in
/// millimetres. A border voxel has a neighbour across a face that is not in the mask, or lies at the end of
/// the volume; in an image of two axes, across a side.
///
/// Percentiles interpolate linearly between order statistics, in each direction, and the larger counts.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] where a mask is empty.
///
/// # References
///
/// - L. Maier-Hein et al. (2024). Metrics Reloaded. Nat. Methods 21, 195–212, supplement.
///
/// # Examples
///
/// ```
/// use fedval_stats::segmentation::{Masks, voxel_border};
/// use ndarray::arr2;
///
/// let reference = arr2(&[[true, false, false, false]]).into_dyn();
/// let predicted = arr2(&[[false, false, false, true]]).into_dyn();
/// let distances = voxel_border(&Masks::new(&reference, &predicted, &[1.0, 0.5])?)?;
/// assert!((distances.hausdorff() - 1.5).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn voxel_border(masks: &Masks) -> Result<SurfaceDistances, NotEstimable> {
    masks.hold_surfaces()?;
    let shape = masks.reference.shape;
    let reference = border(&masks.reference, masks.first_axis);
    let predicted = border(&masks.predicted, masks.first_axis);
    let of = |from: &[bool], to: &[bool]| {
        let rows = Rows::new(to, shape, masks.spacing, |is_border| *is_border);
        let places: Vec<usize> = (0..from.len()).filter(|place| from[*place]).collect();
        let squared = squared_distances_at(&places, &rows);
        squared.into_iter().map(|squared| (libm::sqrt(squared), 1.0)).collect()
    };
    SurfaceDistances::new(
        of(&reference, &predicted),
        of(&predicted, &reference),
        Percentile::Interpolated,
    )
}

fn border(volume: &Volume, first_axis: usize) -> Vec<bool> {
    let [_, height, width] = volume.shape;
    let is_border = |index: usize| {
        let at = [index / (height * width), index / width % height, index % width];
        let is_open = |axis: usize| {
            let (mut before, mut after) = (at, at);
            // Before the first place there is nothing, as behind the last.
            before[axis] = at[axis].wrapping_sub(1);
            after[axis] += 1;
            !volume.is_in(before) || !volume.is_in(after)
        };
        volume.voxels[index] && (first_axis..3).any(is_open)
    };
    (0..volume.voxels.len()).map(is_border).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::*;
    use crate::segmentation::three_axes;

    #[test]
    fn the_inside_of_a_cube_is_no_border_and_a_slice_has_sides_alone() {
        let cube = ArrayD::from_elem(IxDyn(&[3, 3, 3]), true);
        let volume = Volume::of(three_axes(&cube).unwrap(), &[0..3, 0..3, 0..3]);
        assert_eq!(border(&volume, 0).iter().filter(|is_border| **is_border).count(), 26);
        let square = ArrayD::from_elem(IxDyn(&[3, 3]), true);
        let square = Volume::of(three_axes(&square).unwrap(), &[0..1, 0..3, 0..3]);
        assert_eq!(border(&square, 1).iter().filter(|is_border| **is_border).count(), 8);
    }
}
