//! A predicted mask beside the reference standard's.
//!
//! [`overlap`] counts voxels; [`voxel_border`] and [`surfel`] measure distances between surfaces, in
//! millimetres, under the two rules that tools use. They differ, by millimetres on thick slices, and a
//! study declares which one it means:
//!
//! - **voxel border**: a surface is the voxels of a mask that a neighbour across a face is not in, each
//!   counts once, distances run between voxel centres (MONAI, MetricsReloaded);
//! - **surfel**: a surface is the pieces that marching cubes lays between the voxels, each counts by its
//!   area, distances run between the corners of voxels (DeepMind's surface-distance).
//!
//! Two empty masks agree, and have no overlap and no distance: they are counted apart
//! ([`Presence::Neither`]), never as a Dice of 1.
//!
//! # References
//!
//! - L. Maier-Hein et al. (2024). Metrics Reloaded. Nat. Methods 21, 195–212.
//! - G. Podobnik, T. Vrtovec (2024). arXiv:2410.02630 (what differs between tools).

mod border;
mod distance_transform;
mod missed;
mod nearest;
mod overlap;
mod piece;
mod rows;
mod surface;
mod tally;

pub use border::voxel_border;
pub use missed::MissesAsZero;
pub use overlap::{Overlap, overlap};
pub use piece::surfel;
pub use surface::SurfaceDistances;
pub use tally::PresenceTally;

use std::ops::{Range, RangeInclusive};

use ndarray::{ArrayD, ArrayView3, Axis, Slice, Zip};

use crate::NotEstimable;

/// Which of two masks holds anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Both do.
    Both,
    /// The reference standard's alone: the finding was missed.
    OnlyReference,
    /// The predicted one alone.
    OnlyPredicted,
    /// Neither does.
    Neither,
}

/// A mask of the reference standard and a predicted one: the same shape, of two or three axes, with the
/// spacing of voxels along each in millimetres. Cut to the smallest box that holds both.
#[derive(Debug, Clone, PartialEq)]
pub struct Masks {
    reference: Volume,
    predicted: Volume,
    spacing: [f64; 3],
    /// The first axis that voxels extend along: 0, or 1 for an image of two axes.
    first_axis: usize,
}

/// Millimetres from one voxel to the next: beyond them areas and squares would leave the range of numbers.
const SPACINGS: RangeInclusive<f64> = 1e-9..=1e9;

/// Voxels in C order.
#[derive(Debug, Clone, PartialEq)]
struct Volume {
    voxels: Vec<bool>,
    shape: [usize; 3],
}

impl Masks {
    /// Pairs two masks; `spacing` gives millimetres for each axis, in the order of the axes.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without voxels; [`NotEstimable::InvalidInput`] where shapes differ,
    /// there are not two or three axes, or a spacing lies outside 10⁻⁹ to 10⁹ mm.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::segmentation::{Masks, overlap};
    /// use ndarray::arr2;
    ///
    /// let reference = arr2(&[[true, true], [false, false]]).into_dyn();
    /// let predicted = arr2(&[[true, false], [false, false]]).into_dyn();
    /// let masks = Masks::new(&reference, &predicted, &[0.7, 0.7])?;
    /// assert!((overlap(&masks).dice()? - 2.0 / 3.0).abs() < 1e-15);
    /// # Ok::<(), fedval_stats::NotEstimable>(())
    /// ```
    pub fn new(
        reference: &ArrayD<bool>,
        predicted: &ArrayD<bool>,
        spacing: &[f64],
    ) -> Result<Self, NotEstimable> {
        if reference.is_empty() {
            return Err(NotEstimable::EmptyInput);
        }
        let axes = spacing.len();
        let is_usable = reference.shape() == predicted.shape()
            && reference.ndim() == axes
            && (2..=3).contains(&axes)
            && spacing.iter().all(|mm| SPACINGS.contains(mm));
        if !is_usable {
            return Err(NotEstimable::InvalidInput);
        }
        let first_axis = 3 - axes;
        let mut along = [1.0; 3];
        along[first_axis..].copy_from_slice(spacing);
        let (reference, predicted) = (three_axes(reference)?, three_axes(predicted)?);
        // Where neither mask is, there is nothing to count and no surface.
        let part = bounds(&reference, &predicted);
        Ok(Self {
            reference: Volume::of(reference, &part),
            predicted: Volume::of(predicted, &part),
            spacing: along,
            first_axis,
        })
    }

    /// Which of the masks holds anything.
    #[must_use]
    pub fn presence(&self) -> Presence {
        match (self.reference.has_any(), self.predicted.has_any()) {
            (true, true) => Presence::Both,
            (true, false) => Presence::OnlyReference,
            (false, true) => Presence::OnlyPredicted,
            (false, false) => Presence::Neither,
        }
    }

    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] where a mask is empty and has no surface.
    fn hold_surfaces(&self) -> Result<(), NotEstimable> {
        if self.presence() == Presence::Both { Ok(()) } else { Err(NotEstimable::EmptyInput) }
    }

    /// Cubic millimetres of a voxel; square ones in an image of two axes.
    #[must_use]
    pub fn voxel_size(&self) -> f64 {
        self.spacing[self.first_axis..].iter().fold(1.0, |size, mm| size * mm)
    }
}

fn square(x: f64) -> f64 {
    x * x
}

fn three_axes(mask: &ArrayD<bool>) -> Result<ArrayView3<'_, bool>, NotEstimable> {
    let mut view = mask.view();
    if view.ndim() == 2 {
        view = view.insert_axis(Axis(0));
    }
    view.into_dimensionality().map_err(|_| NotEstimable::InvalidInput)
}

/// The smallest box that holds both masks; empty where both are.
fn bounds(reference: &ArrayView3<'_, bool>, predicted: &ArrayView3<'_, bool>) -> [Range<usize>; 3] {
    let height = reference.shape()[1];
    let (mut first, mut end) = ([usize::MAX; 3], [0; 3]);
    for (row, (one, other)) in reference.rows().into_iter().zip(predicted.rows()).enumerate() {
        // Without an early end, so that many voxels are looked at in one step: most rows are empty.
        let held = |any, one: &bool, other: &bool| any | u8::from(*one) | u8::from(*other);
        if Zip::from(&one).and(&other).fold(0, held) == 0 {
            continue;
        }
        let is_in = |x: &usize| one[*x] || other[*x];
        let begin = (0..one.len()).find(is_in).unwrap_or(0);
        let last = (0..one.len()).rfind(is_in).unwrap_or(0);
        for (axis, range) in [(0, row / height..=row / height), (1, row % height..=row % height)]
            .into_iter()
            .chain([(2, begin..=last)])
        {
            first[axis] = first[axis].min(*range.start());
            end[axis] = end[axis].max(*range.end() + 1);
        }
    }
    [0, 1, 2].map(|axis| first[axis].min(end[axis])..end[axis])
}

impl Volume {
    fn of(mut view: ArrayView3<'_, bool>, part: &[Range<usize>; 3]) -> Self {
        for (axis, range) in part.iter().enumerate() {
            view.slice_axis_inplace(Axis(axis), Slice::from(range.clone()));
        }
        let (depth, height, width) = view.dim();
        let mut voxels = Vec::with_capacity(view.len());
        for row in view.rows() {
            match row.as_slice() {
                Some(row) => voxels.extend_from_slice(row),
                None => voxels.extend(row),
            }
        }
        Self { voxels, shape: [depth, height, width] }
    }

    fn has_any(&self) -> bool {
        self.voxels.iter().any(|voxel| *voxel)
    }

    /// Whether the voxel `at` an offset from `from` is in the mask; outside the volume none is.
    fn is_in(&self, at: [usize; 3]) -> bool {
        let inside = at.iter().zip(self.shape).all(|(place, size)| *place < size);
        inside && self.voxels[(at[0] * self.shape[1] + at[1]) * self.shape[2] + at[2]]
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::*;

    fn empty(shape: &[usize]) -> ArrayD<bool> {
        ArrayD::from_elem(IxDyn(shape), false)
    }

    #[test]
    fn unusable_masks_are_refused() {
        let (square, cube) = (empty(&[4, 4]), empty(&[4, 4, 4]));
        assert_eq!(Masks::new(&square, &cube, &[1.0, 1.0]), Err(NotEstimable::InvalidInput));
        assert_eq!(Masks::new(&square, &square, &[1.0]), Err(NotEstimable::InvalidInput));
        for spacing in [[0.0, 1.0], [f64::NAN, 1.0], [-1.0, 1.0]] {
            assert_eq!(Masks::new(&square, &square, &spacing), Err(NotEstimable::InvalidInput));
        }
        let none = empty(&[0, 4]);
        assert_eq!(Masks::new(&none, &none, &[1.0, 1.0]), Err(NotEstimable::EmptyInput));
    }

    #[test]
    fn two_empty_masks_have_no_overlap_and_no_distance() {
        let masks = Masks::new(&empty(&[3, 3]), &empty(&[3, 3]), &[1.0, 1.0]).unwrap();
        assert_eq!(masks.presence(), Presence::Neither);
        assert_eq!(overlap(&masks).dice(), Err(NotEstimable::EmptyInput));
        assert_eq!(voxel_border(&masks).unwrap_err(), NotEstimable::EmptyInput);
        assert_eq!(surfel(&masks).unwrap_err(), NotEstimable::EmptyInput);
    }

    #[test]
    fn a_full_frame_agrees_with_itself() {
        let full = ArrayD::from_elem(IxDyn(&[3, 4, 5]), true);
        let masks = Masks::new(&full, &full, &[3.0, 1.0, 1.0]).unwrap();
        for distances in [voxel_border(&masks).unwrap(), surfel(&masks).unwrap()] {
            assert!(distances.hausdorff().abs() < 1e-15);
            assert!((distances.normalised_surface_dice(0.0).unwrap() - 1.0).abs() < 1e-15);
        }
    }
}
