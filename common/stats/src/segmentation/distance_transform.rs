//! The squared distance of every voxel to the nearest of a set, exactly, one axis after the other.
//!
//! # References
//!
//! - P. F. Felzenszwalb, D. P. Huttenlocher (2012). Theory Comput. 8, 415–428.

use super::rows::Rows;
use super::square;
use crate::count::len_to_f64;

/// Squared distances in the order of `rows`, in squared millimetres; infinite where the set is empty.
///
/// Axes are added first to last, as in SciPy: the last bit decides whether a distance is a tolerance's.
pub(super) fn squared_distances(rows: &Rows) -> Vec<f64> {
    let [depth, height, width] = rows.shape;
    let is_in = |squared: &f64| if *squared > 0.0 { f64::INFINITY } else { 0.0 };
    let mut squared: Vec<f64> = rows.squared.iter().map(is_in).collect();
    let mut envelope = Envelope::default();
    let plane = height * width;
    for place in 0..plane {
        envelope.run(&mut squared, place, plane, depth, rows.spacing[0]);
    }
    for column in squared.chunks_exact_mut(height) {
        envelope.run(column, 0, 1, height, rows.spacing[1]);
    }
    for slice in squared.chunks_exact_mut(plane) {
        for row in 0..height {
            envelope.run(slice, row, height, width, rows.spacing[2]);
        }
    }
    squared
}

/// The lower envelope of parabolas along a line, its memory kept from line to line.
#[derive(Default)]
struct Envelope {
    values: Vec<f64>,
    /// Places of the parabolas of the envelope.
    vertices: Vec<usize>,
    /// From where each of them is the lowest, in places.
    begins: Vec<f64>,
}

impl Envelope {
    /// Replaces the values of one line, `length` of them from `first` on, `stride` apart.
    fn run(
        &mut self,
        squared: &mut [f64],
        first: usize,
        stride: usize,
        length: usize,
        spacing: f64,
    ) {
        if length < 2 {
            return;
        }
        let line = |place: usize| first + place * stride;
        self.values.clear();
        self.values.extend((0..length).map(|place| squared[line(place)]));
        self.build(spacing);
        let mut piece = 0;
        for place in 0..length {
            let here = len_to_f64(place);
            while self.begins.get(piece + 1).is_some_and(|begin| *begin <= here) {
                piece += 1;
            }
            // Where two parabolas meet, rounding decides which is the lower.
            let pieces = piece.saturating_sub(1)..(piece + 2).min(self.vertices.len());
            let lowest = self.vertices[pieces].iter().fold(f64::INFINITY, |lowest, vertex| {
                let offset = (here - len_to_f64(*vertex)) * spacing;
                lowest.min(square(offset) + self.values[*vertex])
            });
            squared[line(place)] = lowest;
        }
    }

    fn build(&mut self, spacing: f64) {
        self.vertices.clear();
        self.begins.clear();
        let scale = spacing * spacing;
        for (place, value) in self.values.iter().enumerate() {
            if value.is_infinite() {
                continue;
            }
            let here = len_to_f64(place);
            let mut begin = f64::NEG_INFINITY;
            while let (Some(vertex), Some(from)) = (self.vertices.last(), self.begins.last()) {
                let there = len_to_f64(*vertex);
                let rise = (value - self.values[*vertex]) / scale + here * here - there * there;
                begin = rise / (2.0 * (here - there));
                if begin > *from {
                    break;
                }
                self.vertices.pop();
                self.begins.pop();
                begin = f64::NEG_INFINITY;
            }
            self.vertices.push(place);
            self.begins.push(begin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair.
    fn by_hand(set: &[bool], shape: [usize; 3], spacing: [f64; 3]) -> Vec<f64> {
        let at = |index: usize| {
            [index / (shape[1] * shape[2]), index / shape[2] % shape[1], index % shape[2]]
        };
        let apart = |a: usize, b: usize| {
            (0..3)
                .map(|axis| square(len_to_f64(at(a)[axis].abs_diff(at(b)[axis])) * spacing[axis]))
                .sum()
        };
        let nearest = |index: usize| {
            let sites = set.iter().enumerate().filter(|(_, is_in)| **is_in);
            sites.map(|(site, _)| apart(index, site)).fold(f64::INFINITY, f64::min)
        };
        (0..set.len()).map(nearest).collect()
    }

    #[test]
    fn distances_are_those_of_every_pair() {
        let (shape, spacing) = ([5, 7, 6], [2.5, 0.7, 1.1]);
        // A few scattered voxels, by a fixed rule.
        for step in [7, 31, 97, 211] {
            let set: Vec<bool> = (0..210).map(|i| (i * 37 + step) % step == 3 % step).collect();
            let rows = Rows::new(&set, shape, spacing, |is_in| *is_in);
            let all = squared_distances(&rows);
            let got = (0..set.len()).map(|place| all[rows.index(place)]);
            let wanted = by_hand(&set, shape, spacing);
            for (got, wanted) in got.zip(wanted) {
                assert!((got - wanted).abs() < 1e-9 || got.is_infinite() && wanted.is_infinite());
            }
        }
    }

    #[test]
    fn an_empty_set_is_infinitely_far() {
        let rows = Rows::new(&[false; 8], [2, 2, 2], [1.0; 3], |is_in| *is_in);
        let squared = squared_distances(&rows);
        assert!(squared.iter().all(|distance| distance.is_infinite()));
    }
}
