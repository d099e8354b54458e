//! Which voxels of a file a voxel of the tensor lies between.

use fedval_study::protocol::{ModelInput, VolumeInput};

use crate::vector::{dot, length};
use crate::{MAX_SIDE, Unfit};

/// Largest cosine between two axes: the tensor's stand upright on each other.
const MOST_SHEAR: f64 = 1e-3;
/// Least and largest distance of two voxels of a file, in millimetres.
const LEAST_STEP: f64 = 1e-3;
const MOST_STEP: f64 = 1e3;
/// Lengths that are written with six digits put the edge of a volume so far, in voxels, beside itself.
const EDGE: f64 = 1e-3;

/// Where the voxels of a volume lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolumeGrid {
    /// Voxels along each axis, as a file stores them: the first changes fastest, the third from slice to slice.
    pub lengths: [usize; 3],
    /// From one voxel to the next along each axis, in millimetres to the patient's right, front and head.
    pub steps: [[f64; 3]; 3],
}

impl VolumeGrid {
    /// Millimetres from one voxel to the next along each axis.
    #[must_use]
    pub fn spacing(&self) -> [f64; 3] {
        self.steps.map(length)
    }

    fn check(&self) -> Result<(), Unfit> {
        if self.lengths.iter().any(|voxels| *voxels < 2) {
            return Err(Unfit::OneSlice);
        }
        if self.lengths.iter().any(|voxels| *voxels > MAX_SIDE) {
            return Err(Unfit::Size);
        }
        if !self.spacing().iter().all(|mm| (LEAST_STEP..=MOST_STEP).contains(mm)) {
            return Err(Unfit::Spacing);
        }
        let leans = |one: usize, other: usize| {
            let (one, other) = (self.steps[one], self.steps[other]);
            dot(one, other).abs() > MOST_SHEAR * length(one) * length(other)
        };
        if leans(0, 1) || leans(0, 2) || leans(1, 2) {
            return Err(Unfit::Orientation);
        }
        Ok(())
    }

    /// For the patient's right, front and head the file's axis that comes nearest to it, and whether it goes there.
    fn nearest(&self) -> Result<[(usize, bool); 3], Unfit> {
        let mut nearest = [(0, false); 3];
        for (part, found) in nearest.iter_mut().enumerate() {
            // As cosines: the longest step is not the nearest for being long.
            let share = [0, 1, 2].map(|axis| self.steps[axis][part] / length(self.steps[axis]));
            let is_most = |axis: &usize| {
                let others = (0..3).filter(|other| other != axis);
                others.into_iter().all(|other| share[*axis].abs() > share[other].abs())
            };
            let axis = (0..3).find(is_most).ok_or(Unfit::Orientation)?;
            *found = (axis, share[axis] > 0.0);
        }
        let [right, front, head] = nearest.map(|(axis, _)| axis);
        let are_apart = right != front && front != head && head != right;
        if are_apart { Ok(nearest) } else { Err(Unfit::Orientation) }
    }
}

/// Where a voxel of one grid lies between two of another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tap {
    pub(super) low: usize,
    pub(super) high: usize,
    /// Weight of `high`, 0 to 1.
    pub(super) share: f64,
}

/// An axis of the file, and the tensor's axis that it becomes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    line: Line,
    /// Voxels of the tensor along this axis.
    side: usize,
    /// From a voxel of the tensor to the next along this axis, in places of its values.
    pub(super) stride: usize,
}

impl Axis {
    /// Voxels of the file.
    pub(super) const fn length(&self) -> usize {
        self.line.length
    }

    /// For each voxel of the tensor along this axis; `None` where the volume does not reach. The file's voxels are taken
    /// to lie `further` along, in voxels, than the grid says.
    pub(super) fn taps(&self, further: f64) -> Vec<Option<Tap>> {
        (0..self.side).map(|voxel| self.line.tap(voxel, self.side, further)).collect()
    }
}

/// An axis of the tensor on the way back, and the file's axis that it came from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WayBack {
    /// Voxels of the tensor.
    pub(super) side: usize,
    /// From a voxel of the tensor to the next along this axis, in places of its values.
    pub(super) stride: usize,
    /// For each voxel of the file along this axis, the voxels of the tensor that it lies between; `None` where the
    /// tensor does not reach.
    pub(super) taps: Vec<Option<Tap>>,
}

/// The way back along each of the file's three axes.
pub(super) fn ways_back(
    grid: &VolumeGrid,
    input: &ModelInput,
    volume: &VolumeInput,
) -> Result<[WayBack; 3], Unfit> {
    let [first, second, third] = axes(grid, input, volume)?;
    Ok([first.way_back()?, second.way_back()?, third.way_back()?])
}

/// The file's three axes.
pub(super) fn axes(
    grid: &VolumeGrid,
    input: &ModelInput,
    volume: &VolumeInput,
) -> Result<[Axis; 3], Unfit> {
    grid.check()?;
    let nearest = grid.nearest()?;
    let spacing = grid.spacing();
    let sides = [volume.depth, input.height, input.width].map(|side| side as usize);
    let strides = [sides[1] * sides[2], sides[2], 1];
    let mut axes = [None; 3];
    for (place, towards) in volume.orientation.towards().into_iter().enumerate() {
        let (part, goes_there) = towards.axis();
        let (stored, is_forward) = nearest[part];
        let line = Line {
            length: grid.lengths[stored],
            step: volume.spacing_mm[place] / spacing[stored],
            is_reversed: is_forward != goes_there,
        };
        axes[stored] = Some(Axis { line, side: sides[place], stride: strides[place] });
    }
    match axes {
        [Some(first), Some(second), Some(third)] => Ok([first, second, third]),
        _ => Err(Unfit::Orientation),
    }
}

impl Axis {
    /// Refused where no voxel of the tensor shows any of the file.
    fn way_back(&self) -> Result<WayBack, Unfit> {
        let is_shown = |voxel: &usize| self.line.tap(*voxel, self.side, 0.0).is_some();
        let first = (0..self.side).find(is_shown).ok_or(Unfit::Size)?;
        let last = (0..self.side).rfind(is_shown).ok_or(Unfit::Size)?;
        let tap = |voxel| self.line.tap_back(voxel, self.side, [first, last]);
        let taps = (0..self.line.length).map(tap).collect();
        Ok(WayBack { side: self.side, stride: self.stride, taps })
    }
}

/// The voxels of a file along one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    length: usize,
    /// From a voxel of the tensor to the next, in voxels of the file.
    step: f64,
    is_reversed: bool,
}

impl Line {
    fn tap(self, voxel: usize, of: usize, further: f64) -> Option<Tap> {
        let last = count(self.length - 1);
        let from_middle = count(voxel) - count(of - 1) / 2.0;
        let forward = from_middle * self.step + last / 2.0;
        let as_placed = if self.is_reversed { last - forward } else { forward };
        let at = as_placed - further;
        let reaches = (-0.5 - EDGE..=last + 0.5 + EDGE).contains(&at);
        reaches.then(|| between(at, [0, self.length - 1]))
    }

    /// The inverse, of a voxel of the file, by the voxels of the tensor that show any of it. Where the tensor ends first,
    /// its outermost voxels reach to their edges and nothing is known beyond; where padding begins, the last voxel
    /// before it speaks for what is left of the file: padding shows no patient.
    fn tap_back(self, voxel: usize, of: usize, shown: [usize; 2]) -> Option<Tap> {
        let last = count(self.length - 1);
        let at = count(voxel);
        let forward = if self.is_reversed { last - at } else { at };
        let place = (forward - last / 2.0) / self.step + count(of - 1) / 2.0;
        let is_before = shown[0] == 0 && place < -0.5 - EDGE;
        let is_behind = shown[1] == of - 1 && place > count(of - 1) + 0.5 + EDGE;
        (!is_before && !is_behind).then(|| between(place, shown))
    }
}

/// The voxels on either side of a place, held to the first and the last.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the place is held to the first and the last voxel"
)]
fn between(at: f64, [first, last]: [usize; 2]) -> Tap {
    let at = at.clamp(count(first), count(last));
    let low = (at.floor() as usize).min(last);
    Tap { low, high: (low + 1).min(last), share: at - count(low) }
}

#[expect(clippy::cast_precision_loss, reason = "voxels along one side")]
pub(super) const fn count(voxels: usize) -> f64 {
    voxels as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(length: usize, step: f64, is_reversed: bool, of: usize) -> Vec<Option<f64>> {
        let line = Line { length, step, is_reversed };
        let place = |tap: Tap| count(tap.low) + tap.share;
        (0..of).map(|voxel| line.tap(voxel, of, 0.0).map(place)).collect()
    }

    #[test]
    fn middles_come_to_middles_and_outside_there_is_nothing() {
        let is = |places: &[f64]| places.iter().map(|place| Some(*place)).collect::<Vec<_>>();
        assert_eq!(places(4, 1.0, false, 4), is(&[0.0, 1.0, 2.0, 3.0]));
        assert_eq!(places(4, 1.0, true, 4), is(&[3.0, 2.0, 1.0, 0.0]));
        // Cropped and padded evenly; of an odd difference by half a voxel.
        assert_eq!(places(4, 1.0, false, 2), is(&[1.0, 2.0]));
        assert_eq!(places(2, 1.0, false, 4), [None, Some(0.0), Some(1.0), None]);
        assert_eq!(places(4, 1.0, false, 3), is(&[0.5, 1.5, 2.5]));
        // Twice as coarse, and twice as fine: the outermost voxel reaches half a voxel beyond its middle.
        assert_eq!(places(4, 2.0, false, 2), is(&[0.5, 2.5]));
        assert_eq!(places(2, 0.5, false, 4), is(&[0.0, 0.25, 0.75, 1.0]));
        assert_eq!(places(2, 0.5, false, 6)[0], None);
    }

    #[test]
    fn the_way_back_ends_where_the_tensor_does_and_not_in_its_padding() {
        let back = |length, step, is_reversed, side| -> Vec<Option<f64>> {
            let line = Line { length, step, is_reversed };
            let taps = Axis { line, side, stride: 1 }.way_back().unwrap().taps;
            taps.into_iter().map(|tap| tap.map(|tap| count(tap.low) + tap.share)).collect()
        };
        let is = |places: &[f64]| places.iter().map(|place| Some(*place)).collect::<Vec<_>>();
        assert_eq!(back(4, 1.0, false, 4), is(&[0.0, 1.0, 2.0, 3.0]));
        assert_eq!(back(4, 1.0, true, 4), is(&[3.0, 2.0, 1.0, 0.0]));
        // The tensor shows the inner two, and twice as fine what they are.
        assert_eq!(back(4, 1.0, false, 2), [None, Some(0.0), Some(1.0), None]);
        assert_eq!(back(2, 0.5, false, 4), is(&[0.5, 2.5]));
        assert_eq!(back(4, 0.5, true, 4), [None, Some(2.5), Some(0.5), None]);
        // One voxel of padding at either end; and voxels of the file behind the last middle before it.
        assert_eq!(back(2, 1.0, false, 4), is(&[1.0, 2.0]));
        assert_eq!(back(4, 2.0, false, 4), is(&[1.0, 1.25, 1.75, 2.0]));
        let beside =
            Axis { line: Line { length: 2, step: 9.0, is_reversed: false }, side: 2, stride: 1 };
        assert_eq!(beside.way_back(), Err(Unfit::Size), "the model saw none of it");
    }
}
