//! Voxels as a file stores them, turned so that their axes go to the patient's head, back and left.

use super::grid::{Grid, Space};
use crate::decode::fault::ImageFault;
use crate::decode::nifti::directions_of;

/// The patient's direction of each axis, of right, front and head, and whether it goes there: to the head, to the back,
/// to the left.
const AXES: [(usize, bool); 3] = [(2, true), (1, false), (0, false)];

/// Three axes of a file, in millimetres to the patient's right, front and head.
#[derive(Debug, Clone, Copy)]
pub(in crate::decode) struct Lattice {
    pub(in crate::decode) lengths: [usize; 3],
    /// From one voxel to the next along each axis.
    pub(in crate::decode) steps: [[f64; 3]; 3],
    /// The middle of the first voxel.
    pub(in crate::decode) origin: [f64; 3],
}

/// The same, as it is turned.
pub(in crate::decode) struct Turned {
    pub(in crate::decode) grid: Grid,
    /// Which of the grid's axes each of the file's became.
    pub(in crate::decode) axes: [usize; 3],
    /// For each of the file's axes and each place on it, what it adds to the place in C order.
    pub(in crate::decode) offsets: [Vec<usize>; 3],
}

impl Lattice {
    /// Turns the axes; refused where it is not clear which goes where, or they lean.
    pub(in crate::decode) fn turned(self) -> Result<Turned, ImageFault> {
        let towards = |part: usize| self.steps.map(|step| step[part]);
        let directions = directions_of([towards(0), towards(1), towards(2)])?;
        let (mut origin, mut steps) = (self.origin, [[0.0; 3]; 3]);
        let (mut offsets, mut shape, mut axes) = ([const { Vec::new() }; 3], [1; 3], [0; 3]);
        let mut stride: usize = 1;
        // From the last axis, whose voxels lie side by side.
        for axis in (0..3).rev() {
            let (direction, wanted) = AXES[axis];
            let (stored, goes_there) = directions[direction];
            let (length, is_reversed) = (self.lengths[stored], goes_there != wanted);
            for part in 0..3 {
                let step = self.steps[stored][part];
                origin[part] += if is_reversed { step * count(length - 1) } else { 0.0 };
                steps[axis][part] = if is_reversed { -step } else { step };
            }
            let place = |place| if is_reversed { length - 1 - place } else { place };
            offsets[stored] = (0..length).map(|along| place(along) * stride).collect();
            shape[axis] = length;
            axes[stored] = axis;
            stride = stride.saturating_mul(length);
        }
        let grid = Grid { shape, space: Space::Patient { origin, steps } };
        if grid.is_upright() {
            Ok(Turned { grid, axes, offsets })
        } else {
            Err(ImageFault::Orientation)
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "voxels along one side")]
const fn count(voxels: usize) -> f64 {
    voxels as f64
}
