//! Which voxels of a mask the pixels of an image are.

use fedval_preprocess::Size;
use fedval_preprocess::vector::{Vector, dot, length, minus};

use super::grid::{CORNER_SHARE, count, whole};
use super::{Grid, Space};
use crate::decode::image_frame::FramePlace;

/// A plane of a grid, as the rows and columns of an image go through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plane {
    /// Along rows of the image, along columns, across: the grid's axis.
    axes: [usize; 3],
    /// Whether rows, and columns, go the other way than the grid's axis.
    is_reversed: [bool; 2],
    /// The voxel across in which the plane lies; it may be none of the grid's.
    across: i64,
}

impl Plane {
    /// The plane that an image shows whole, and shows nothing beside; `None` where pixels are no voxels of the grid.
    pub(super) fn of(grid: &Grid, place: &FramePlace, size: Size) -> Option<Self> {
        let Space::Patient { origin, steps } = grid.space else { return None };
        let tolerance = CORNER_SHARE * length(place.row_step).min(length(place.column_step));
        let (down, is_down_reversed) = axis(&steps, place.row_step, size.height, tolerance)?;
        let (along, is_along_reversed) = axis(&steps, place.column_step, size.width, tolerance)?;
        let across = (0..3).find(|axis| *axis != down && *axis != along)?;
        let way = minus(place.origin, origin);
        let voxels = steps.map(|step| (dot(way, step) / dot(step, step)).round());
        let reached = (0..3).fold([0.0; 3], |at, axis| {
            [0, 1, 2].map(|part| at[part] + voxels[axis] * steps[axis][part])
        });
        // What is no number is not near.
        let is_on_it = length(minus(way, reached)) <= tolerance;
        let starts = |axis: usize, is_reversed: bool, side: usize| {
            let first = if is_reversed { count(side - 1) } else { 0.0 };
            grid.shape[axis] == side && (voxels[axis] - first).abs() < 0.5
        };
        let is_whole = down != along
            && starts(down, is_down_reversed, size.height)
            && starts(along, is_along_reversed, size.width);
        (is_on_it && is_whole).then(|| Self {
            axes: [down, along, across],
            is_reversed: [is_down_reversed, is_along_reversed],
            across: whole(voxels[across]),
        })
    }

    /// The voxel across, where the grid has it.
    pub(super) fn slice(&self, grid: &Grid) -> Option<usize> {
        let [_, _, across] = self.axes;
        usize::try_from(self.across).ok().filter(|slice| *slice < grid.shape[across])
    }

    /// The place in C order of the voxel that a pixel of this `slice` is.
    pub(super) fn voxel(&self, grid: &Grid, slice: usize, [row, column]: [usize; 2]) -> usize {
        let [down, along, across] = self.axes;
        let turned = |at: usize, axis: usize, is_reversed: bool| {
            if is_reversed { grid.shape[axis] - 1 - at } else { at }
        };
        let mut voxel = [0; 3];
        voxel[down] = turned(row, down, self.is_reversed[0]);
        voxel[along] = turned(column, along, self.is_reversed[1]);
        voxel[across] = slice;
        let [_, height, width] = grid.shape;
        (voxel[0] * height + voxel[1]) * width + voxel[2]
    }
}

/// The grid's axis that a step of the image is one voxel along, and whether it goes the other way. Over all pixels both
/// lead to the same place.
fn axis(steps: &[Vector; 3], of: Vector, pixels: usize, tolerance: f64) -> Option<(usize, bool)> {
    let is_same = |step: Vector| count(pixels) * length(minus(step, of)) <= tolerance;
    let forward = (0..3).find(|axis| is_same(steps[*axis])).map(|axis| (axis, false));
    let backward = || (0..3).find(|axis| is_same(steps[*axis].map(|part| -part)));
    forward.or_else(|| backward().map(|axis| (axis, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 4 slices, 3 rows and 5 columns, to the head, to the back and to the left, 2, 1 and 0.5 mm apart.
    fn grid() -> Grid {
        let steps = [[0.0, 0.0, 2.0], [0.0, -1.0, 0.0], [-0.5, 0.0, 0.0]];
        Grid { shape: [4, 3, 5], space: Space::Patient { origin: [10.0, 20.0, 30.0], steps } }
    }

    fn place(origin: Vector, row_step: Vector, column_step: Vector) -> FramePlace {
        FramePlace { origin, row_step, column_step, frame_of_reference: None }
    }

    #[test]
    fn a_slice_of_a_volume_is_found_as_the_image_has_it() {
        let size = Size { height: 3, width: 5 };
        let as_stored = place([10.0, 20.0, 34.0], [0.0, -1.0, 0.0], [-0.5, 0.0, 0.0]);
        let plane = Plane::of(&grid(), &as_stored, size).unwrap();
        assert_eq!(plane.slice(&grid()), Some(2));
        assert_eq!(plane.voxel(&grid(), 2, [0, 0]), 30);
        assert_eq!(plane.voxel(&grid(), 2, [1, 4]), 39);
        // From the other end of both axes.
        let turned = place([8.0, 18.0, 34.02], [0.0, 1.0, 0.0], [0.5, 0.0, 0.0]);
        let plane = Plane::of(&grid(), &turned, size).unwrap();
        assert_eq!(plane.voxel(&grid(), 2, [0, 0]), 44);
        assert_eq!(plane.voxel(&grid(), 2, [2, 4]), 30);
        // Upright: rows go to the feet.
        let upright = place([10.0, 19.0, 36.0], [0.0, 0.0, -2.0], [-0.5, 0.0, 0.0]);
        let plane = Plane::of(&grid(), &upright, Size { height: 4, width: 5 }).unwrap();
        assert_eq!(plane.slice(&grid()), Some(1));
        assert_eq!(plane.voxel(&grid(), 1, [0, 3]), 45 + 5 + 3);
    }

    #[test]
    fn what_lies_beside_the_grid_or_between_its_voxels_is_no_plane_of_it() {
        let size = Size { height: 3, width: 5 };
        let (row, column) = ([0.0, -1.0, 0.0], [-0.5, 0.0, 0.0]);
        let of = |place: FramePlace, size| Plane::of(&grid(), &place, size);
        assert!(of(place([10.0, 20.0, 33.0], row, column), size).is_none(), "between two slices");
        assert!(of(place([10.2, 20.0, 34.0], row, column), size).is_none(), "beside");
        assert!(of(place([10.0, 20.0, 34.0], row, [-0.6, 0.0, 0.0]), size).is_none(), "larger");
        assert!(of(place([10.0, 20.0, 34.0], row, row), size).is_none(), "no plane at all");
        let smaller = Size { height: 3, width: 4 };
        assert!(of(place([10.0, 20.0, 34.0], row, column), smaller).is_none(), "a part");
        assert!(of(place([f64::NAN, 20.0, 34.0], row, column), size).is_none());
        // Above the last slice: on the lattice, and none of the file's.
        let above = of(place([10.0, 20.0, 38.0], row, column), size).unwrap();
        assert_eq!(above.slice(&grid()), None);
        let picture = Grid { space: Space::Picture { spacing: 1.0 }, ..grid() };
        assert!(Plane::of(&picture, &place([10.0, 20.0, 34.0], row, column), size).is_none());
    }
}
