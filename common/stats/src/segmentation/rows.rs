//! How far the nearest of a set is along each row.

use super::square;

/// No voxel of the row is in the set.
const NONE: u32 = u32::MAX;

/// For every voxel the squared distance to the nearest of a set in the same row, in squared millimetres;
/// infinite where the row has none.
///
/// Values are kept by plane, then column, then row, so that what is asked next, along a column, lies side
/// by side.
pub(super) struct Rows {
    pub(super) squared: Vec<f64>,
    /// Planes, rows of each, voxels of a row.
    pub(super) shape: [usize; 3],
    /// Millimetres from one to the next.
    pub(super) spacing: [f64; 3],
}

impl Rows {
    /// From a set in C order.
    pub(super) fn new<T>(
        set: &[T],
        shape: [usize; 3],
        spacing: [f64; 3],
        is_in: impl Fn(&T) -> bool + Copy,
    ) -> Self {
        let [_, height, width] = shape;
        let mut squared = vec![f64::INFINITY; set.len()];
        let mut away = vec![NONE; width];
        for (row, set) in set.chunks_exact(width).enumerate() {
            if !set.iter().any(is_in) {
                continue;
            }
            away.fill(NONE);
            sweep(set.iter(), away.iter_mut(), is_in);
            sweep(set.iter().rev(), away.iter_mut().rev(), is_in);
            let (plane, y) = (row / height * height * width, row % height);
            let column = squared[plane..plane + height * width].iter_mut().skip(y).step_by(height);
            for (squared, away) in column.zip(&away) {
                *squared = square(f64::from(*away) * spacing[2]);
            }
        }
        Self { squared, shape, spacing }
    }

    /// Where the value of the voxel stands that has this place in C order.
    pub(super) const fn index(&self, place: usize) -> usize {
        let [z, y, x] = self.at(place);
        (z * self.shape[2] + x) * self.shape[1] + y
    }

    /// The plane, row and column of a place in C order.
    pub(super) const fn at(&self, place: usize) -> [usize; 3] {
        let [_, height, width] = self.shape;
        [place / (height * width), place / width % height, place % width]
    }
}

/// Counts on from the last one that was in.
fn sweep<'a, T: 'a>(
    set: impl Iterator<Item = &'a T>,
    voxels: impl Iterator<Item = &'a mut u32>,
    is_in: impl Fn(&T) -> bool,
) {
    let mut away = NONE;
    for (value, voxels) in set.zip(voxels) {
        away = if is_in(value) { 0 } else { away.saturating_add(1) };
        *voxels = away.min(*voxels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_on_either_side_and_never_in_another_row() {
        let set = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        let rows = Rows::new(&set, [1, 2, 6], [1.0, 1.0, 0.5], |value| *value == 1);
        let squared = |place| rows.squared[rows.index(place)];
        for (place, voxels) in [1.0, 0.0, 1.0, 2.0, 1.0, 0.0].into_iter().enumerate() {
            assert!((squared(place) - voxels * voxels / 4.0).abs() < 1e-15);
        }
        assert!(squared(6).is_infinite() && squared(11).is_infinite());
    }
}
