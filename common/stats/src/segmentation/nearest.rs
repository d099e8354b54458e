//! The squared distance of some voxels to the nearest of a set, exactly.
//!
//! Two surfaces mostly lie close together: looking around each place of one for the other takes a few
//! steps, where the distance of every voxel takes one for each voxel of the volume. Where they lie far
//! apart it is the other way round, and the whole transform is made.

use super::distance_transform::squared_distances;
use super::rows::Rows;
use super::square;
use crate::count::len_to_f64;

/// Values that are looked at for each voxel of the volume before the whole transform is cheaper.
const LOOKS_A_VOXEL: usize = 32;
/// Values to each side that are looked at first; twice as many each time after.
const FIRST_REACH: usize = 4;
/// Values that are compared at once.
const LANES: usize = 4;

/// Squared distances of `places`, in C order, to the nearest of `rows`, in squared millimetres; infinite
/// where the set is empty.
pub(super) fn squared_distances_at(places: &[usize], rows: &Rows) -> Vec<f64> {
    let mut search = Search::new(rows, rows.squared.len().saturating_mul(LOOKS_A_VOXEL));
    let near: Option<Vec<f64>> = places.iter().map(|place| search.squared(*place)).collect();
    near.unwrap_or_else(|| {
        let all = squared_distances(rows);
        places.iter().map(|place| all[rows.index(*place)]).collect()
    })
}

struct Search<'r> {
    rows: &'r Rows,
    /// Squared distances along a column, from as many rows before to as many behind as there are.
    across: Vec<f64>,
    /// Values that may still be looked at.
    left: usize,
}

impl<'r> Search<'r> {
    fn new(rows: &'r Rows, left: usize) -> Self {
        let height = rows.shape[1];
        let away = |place: usize| len_to_f64(place.abs_diff(height)) * rows.spacing[1];
        let across = (0..=2 * height).map(|place| square(away(place))).collect();
        Self { rows, across, left }
    }

    /// From the nearest planes outwards; `None` where too much was looked at.
    fn squared(&mut self, place: usize) -> Option<f64> {
        let [z, y, x] = self.rows.at(place);
        let mut best = f64::INFINITY;
        for steps in 0..self.rows.shape[0] {
            let aside = square(len_to_f64(steps) * self.rows.spacing[0]);
            if aside >= best {
                break;
            }
            let before = z.checked_sub(steps);
            let behind = Some(z + steps).filter(|z| steps > 0 && *z < self.rows.shape[0]);
            for z in before.into_iter().chain(behind) {
                best = self.in_column(z, y, x, aside, best)?;
            }
        }
        Some(best)
    }

    /// The best of the rows of one plane, from the nearest outwards.
    fn in_column(&mut self, z: usize, y: usize, x: usize, aside: f64, best: f64) -> Option<f64> {
        let [_, height, width] = self.rows.shape;
        let begin = (z * width + x) * height;
        let column = &self.rows.squared[begin..begin + height];
        let across = &self.across[height - y..2 * height - y];
        let mut best = best;
        let (mut from, mut to, mut reach) = (y, y, FIRST_REACH);
        while from > 0 || to < height {
            let (low, high) = (y.saturating_sub(reach), height.min(y + reach));
            self.left = self.left.checked_sub(from - low + high - to)?;
            for side in [low..from, to..high] {
                best = best.min(lowest(aside, &across[side.clone()], &column[side]));
            }
            (from, to) = (low, high);
            let next = square(len_to_f64(reach) * self.rows.spacing[1]);
            if aside + next >= best {
                break;
            }
            reach *= 2;
        }
        Some(best)
    }
}

/// The lowest `aside + across + along`, added in this order: the last bit decides whether a distance is a
/// tolerance's. Infinite where there are none.
fn lowest(aside: f64, across: &[f64], along: &[f64]) -> f64 {
    let mut lanes = [f64::INFINITY; LANES];
    let (across, last_across) = across.as_chunks::<LANES>();
    let (along, last_along) = along.as_chunks::<LANES>();
    for (across, along) in across.iter().zip(along) {
        for (lane, (across, along)) in lanes.iter_mut().zip(across.iter().zip(along)) {
            let sum = (aside + across) + along;
            *lane = if sum < *lane { sum } else { *lane };
        }
    }
    let rest = last_across.iter().zip(last_along).map(|(across, along)| (aside + across) + along);
    rest.chain(lanes).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [6, 23, 11];
    const SPACING: [f64; 3] = [2.5, 0.7, 1.1];

    fn rows(is_in: impl Fn(usize) -> bool) -> Rows {
        let set: Vec<bool> = (0..SHAPE.iter().product()).map(is_in).collect();
        Rows::new(&set, SHAPE, SPACING, |is_in| *is_in)
    }

    #[test]
    fn looking_around_finds_what_the_transform_finds() {
        for step in [5, 31, 97, 211, 1009] {
            let rows = rows(|i| (i * 37 + step) % step == 3 % step);
            let all = squared_distances(&rows);
            let mut search = Search::new(&rows, usize::MAX);
            for place in 0..all.len() {
                let found = search.squared(place).unwrap();
                assert!((found - all[rows.index(place)]).abs() < 1e-12, "{step} {place}");
            }
        }
    }

    #[test]
    fn whoever_looks_too_long_gets_the_transform() {
        let rows = rows(|i| i == 0);
        let last = rows.squared.len() - 1;
        assert_eq!(Search::new(&rows, 10).squared(last), None);
        let all = squared_distances(&rows);
        let places: Vec<usize> = (0..=last).collect();
        let found = squared_distances_at(&places, &rows);
        assert!(places.iter().all(|place| (found[*place] - all[rows.index(*place)]).abs() < 1e-12));
    }

    #[test]
    fn an_empty_set_is_infinitely_far() {
        assert!(squared_distances_at(&[3], &rows(|_| false))[0].is_infinite());
    }
}
