//! Where the voxels of a mask lie.

use fedval_preprocess::vector::{Vector, dot, length, minus};

/// Two grids are the same where no corner of one is further from the other's than this share of its smallest step:
/// programs write affine transformations with six digits, or derive them from a quaternion.
pub(super) const CORNER_SHARE: f64 = 0.1;

/// Largest cosine between two axes: distances are measured along them as if they stood upright on each other.
const MOST_SHEAR: f64 = 1e-3;

/// Voxels in three axes: to the patient's head, to the back, to the left, as near as the file's axes come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::decode) struct Grid {
    pub(in crate::decode) shape: [usize; 3],
    pub(in crate::decode) space: Space,
}

/// What a file says of millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::decode) enum Space {
    /// Of the patient.
    Patient {
        /// The middle of the first voxel.
        origin: Vector,
        /// From one voxel to the next along each axis.
        steps: [Vector; 3],
    },
    /// Nothing: a picture, whose pixels are as large as the protocol says.
    Picture {
        /// Millimetres from one pixel to the next, either way.
        spacing: f64,
    },
}

impl Grid {
    /// Millimetres from one voxel to the next along each axis.
    pub(super) fn spacing(&self) -> [f64; 3] {
        match self.space {
            Space::Patient { steps, .. } => steps.map(length),
            Space::Picture { spacing } => [1.0, spacing, spacing],
        }
    }

    /// Whether the axes stand upright on each other.
    pub(in crate::decode) fn is_upright(&self) -> bool {
        let Space::Patient { steps, .. } = self.space else { return true };
        [(0, 1), (0, 2), (1, 2)].into_iter().all(|(one, other)| {
            let (one, other) = (steps[one], steps[other]);
            dot(one, other).abs() <= MOST_SHEAR * length(one) * length(other)
        })
    }

    /// Whether a voxel of one is the same piece of the patient as the voxel of that place in the other.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        if self.shape != other.shape {
            return false;
        }
        match (self.space, other.space) {
            (Space::Picture { .. }, Space::Picture { .. }) => true,
            (Space::Patient { .. }, Space::Patient { .. }) => {
                let tolerance = CORNER_SHARE * self.smallest_step();
                let corners = self.corners().into_iter().zip(other.corners());
                // What is no number is not near.
                corners.into_iter().all(|(one, other)| length(minus(one, other)) <= tolerance)
            }
            _ => false,
        }
    }

    /// How many voxels further the first one of another grid lies along each axis, where both are pieces of one lattice;
    /// `None` where they are not.
    pub(super) fn offset_to(&self, other: &Self) -> Option<[i64; 3]> {
        let (Space::Patient { origin, steps }, Space::Patient { origin: there, steps: others }) =
            (self.space, other.space)
        else {
            return None;
        };
        let tolerance = CORNER_SHARE * self.smallest_step();
        // Over the whole length of either, steps lead to the same places.
        let is_parallel = (0..3).all(|axis| {
            let voxels = count(self.shape[axis].max(other.shape[axis]));
            voxels * length(minus(steps[axis], others[axis])) <= tolerance
        });
        let way = minus(there, origin);
        let along = steps.map(|step| (dot(way, step) / dot(step, step)).round());
        let reached = (0..3).fold([0.0; 3], |at, axis| {
            [0, 1, 2].map(|part| at[part] + along[axis] * steps[axis][part])
        });
        let is_on_it = is_parallel && length(minus(way, reached)) <= tolerance;
        is_on_it.then(|| along.map(whole))
    }

    /// Along axes that have more than one voxel; of a single one, along all.
    fn smallest_step(&self) -> f64 {
        let steps = || self.spacing().into_iter().zip(self.shape);
        let least = |steps: &mut dyn Iterator<Item = f64>| steps.fold(f64::INFINITY, f64::min);
        let extended = least(&mut steps().filter(|(_, side)| *side > 1).map(|(step, _)| step));
        if extended.is_finite() { extended } else { least(&mut steps().map(|(step, _)| step)) }
    }

    /// The outermost corners of the outermost voxels.
    fn corners(&self) -> [Vector; 8] {
        let Space::Patient { origin, steps } = self.space else { return [[0.0; 3]; 8] };
        std::array::from_fn(|corner| {
            (0..3).fold(origin, |at, axis| {
                let is_far = corner >> axis & 1 == 1;
                let along = if is_far { count(self.shape[axis]) - 0.5 } else { -0.5 };
                [0, 1, 2].map(|part| at[part] + along * steps[axis][part])
            })
        })
    }
}

/// Voxels between two grids; more than a file can hold lie nowhere.
#[expect(clippy::cast_possible_truncation, reason = "held to the range")]
pub(super) const fn whole(voxels: f64) -> i64 {
    voxels.clamp(-1e9, 1e9) as i64
}

#[expect(clippy::cast_precision_loss, reason = "voxels along one side")]
pub(super) const fn count(voxels: usize) -> f64 {
    voxels as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of 2, 1 and 0.5 mm.
    fn grid() -> Grid {
        let steps = [[0.0, 0.0, 2.0], [0.0, -1.0, 0.0], [-0.5, 0.0, 0.0]];
        Grid { shape: [10, 20, 30], space: Space::Patient { origin: [5.0, 6.0, 7.0], steps } }
    }

    fn moved(origin: Vector, last_step: Vector) -> Grid {
        let Space::Patient { mut steps, .. } = grid().space else { panic!("of the patient") };
        steps[2] = last_step;
        Grid { space: Space::Patient { origin, steps }, ..grid() }
    }

    #[test]
    fn grids_agree_up_to_a_tenth_of_the_smallest_step() {
        for (step, want) in grid().spacing().into_iter().zip([2.0, 1.0, 0.5]) {
            assert!((step - want).abs() < 1e-12, "{step}");
        }
        let step = [-0.5, 0.0, 0.0];
        assert!(grid().agrees(&moved([5.0, 6.0, 7.04], step)));
        assert!(!grid().agrees(&moved([5.0, 6.0, 7.06], step)));
        // Thirty steps that are each 0.002 mm too long end 0.06 mm away.
        assert!(grid().agrees(&moved([5.0, 6.0, 7.0], [-0.501, 0.0, 0.0])));
        assert!(!grid().agrees(&moved([5.0, 6.0, 7.0], [-0.502, 0.0, 0.0])));
        assert!(!grid().agrees(&moved([f64::NAN, 6.0, 7.0], step)));
        assert!(!grid().agrees(&Grid { shape: [10, 20, 31], ..grid() }));
        assert!(!grid().agrees(&Grid { space: Space::Picture { spacing: 0.5 }, ..grid() }));
    }

    #[test]
    fn pieces_of_one_lattice_are_whole_voxels_apart() {
        let step = [-0.5, 0.0, 0.0];
        // Three slices to the head, one voxel to the left.
        let piece = Grid { shape: [2, 20, 30], ..moved([4.5, 6.0, 13.02], step) };
        assert_eq!(grid().offset_to(&piece), Some([3, 0, 1]));
        assert_eq!(piece.offset_to(&grid()), Some([-3, 0, -1]));
        let between = Grid { shape: [2, 20, 30], ..moved([5.0, 6.0, 8.0], step) };
        assert_eq!(grid().offset_to(&between), None);
        assert_eq!(grid().offset_to(&moved([5.0, 6.0, 7.0], [-0.52, 0.0, 0.0])), None);
        assert_eq!(grid().offset_to(&moved([f64::NAN, 6.0, 7.0], step)), None);
    }

    #[test]
    fn axes_that_lean_are_not_upright() {
        assert!(grid().is_upright());
        assert!(!moved([5.0, 6.0, 7.0], [-0.5, 0.0, 0.1]).is_upright());
    }
}
