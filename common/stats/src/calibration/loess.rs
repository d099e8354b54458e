//! Local quadratic regression with tricube weights, as R's `loess` computes it.
//!
//! At a point x₀ the ⌊span·n⌋ nearest cases enter with weight `(1 − (d/h)³)³`, h being the
//! distance of the farthest of them; a quadratic is fitted by weighted least squares, which gives a value and
//! a slope at x₀. That is done at the vertices of cells that hold at most ⌊span·n/5⌋ cases each; between two
//! vertices stands the cubic that has both values and both slopes.
//!
//! The fit is expanded in polynomials orthogonal under the weights, so that a neighbourhood with too few
//! distinct values simply loses its highest terms.
//!
//! # References
//!
//! - W. S. Cleveland, S. J. Devlin (1988). J. Am. Stat. Assoc. 83, 596–610.
//! - W. S. Cleveland, E. Grosse (1991). Stat. Comput. 1, 47–62 (cells and blending).

use crate::count::len_to_f64;

/// Cells hold at most this share of the cases of a neighbourhood.
const CELL: f64 = 0.2;

/// By so much of their range the outermost vertices lie outside the cases.
const MARGIN: f64 = 0.005;

/// A case this close to the farthest of a neighbourhood, as a share of its distance, has no weight.
const FARTHEST: f64 = 0.999;

/// A case this close to the middle has its whole weight.
const NEAREST: f64 = 0.001;

/// A term is dropped where its squared norm is below this share of the total weight: the
/// neighbourhood cannot tell it from the lower ones.
const DEGENERATE: f64 = 1e-9;

/// A smooth curve.
pub(super) struct Loess {
    /// From left to right.
    vertices: Vec<Vertex>,
}

struct Vertex {
    x: f64,
    value: f64,
    slope: f64,
}

impl Loess {
    /// The curve through cases `(x, y)` in order of x, of which there is one at least.
    pub(super) fn of(sorted: &[(f64, f64)], span: f64) -> Self {
        let taken = neighbours(sorted.len(), span);
        let most = cases_of_a_cell(sorted.len(), span);
        let vertex = |x| {
            let (value, slope) = fitted(sorted, taken, x);
            Vertex { x, value, slope }
        };
        Self { vertices: places(sorted, most).into_iter().map(vertex).collect() }
    }

    /// The curve's value at `x`, between the outermost cases.
    pub(super) fn at(&self, x: f64) -> f64 {
        let right = self.vertices.partition_point(|vertex| vertex.x < x);
        let right = right.clamp(1, self.vertices.len() - 1);
        let (left, right) = (&self.vertices[right - 1], &self.vertices[right]);
        let width = right.x - left.x;
        let (h, rest) = ((x - left.x) / width, (right.x - x) / width);
        let values =
            rest * rest * (1.0 + 2.0 * h) * left.value + h * h * (3.0 - 2.0 * h) * right.value;
        values + (h * rest * rest * left.slope - h * h * rest * right.slope) * width
    }
}

/// Where vertices stand, from left to right.
fn places(sorted: &[(f64, f64)], most: usize) -> Vec<f64> {
    let (first, last) = (sorted[0].0, sorted[sorted.len() - 1].0);
    let range = (last - first).max(1e-10 * first.abs().max(last.abs()) + 1e-30);
    let (first, last) = (first - MARGIN * range, last + MARGIN * range);
    let mut places = vec![first, last];
    let mut cells = vec![(0, sorted.len(), first, last)];
    while let Some((from, to, left, right)) = cells.pop() {
        if to - from <= most {
            continue;
        }
        let cut = cut(sorted, from, to);
        let place = sorted[cut].0;
        if place > left && place < right {
            places.push(place);
            cells.extend([(from, cut + 1, left, place), (cut + 1, to, place, right)]);
        }
    }
    places.sort_unstable_by(f64::total_cmp);
    places
}

/// The last case of the left half of `from..to`: of those next to the middle the nearest one that differs
/// from its neighbour on the right.
fn cut(sorted: &[(f64, f64)], from: usize, to: usize) -> usize {
    // The middle as R counts it, from 1.
    let middle = (from + to - 1) / 2;
    for away in 0..=to - from {
        for place in [middle.checked_add(away), middle.checked_sub(away)] {
            let Some(place) = place.filter(|place| *place >= from && *place + 1 < to) else {
                return middle;
            };
            if sorted[place].0 < sorted[place + 1].0 {
                return place;
            }
        }
    }
    middle
}

/// The value and slope at `at`, from `sorted` cases `(x, y)` in order of x of which the nearest
/// `neighbours` enter. `sorted` must not be empty and `1 <= neighbours <= sorted.len()`.
fn fitted(sorted: &[(f64, f64)], neighbours: usize, at: f64) -> (f64, f64) {
    let window = nearest(sorted, neighbours, at);
    let width = window.iter().fold(0.0_f64, |width, (x, _)| width.max((x - at).abs()));
    let mut s = [0.0; 5];
    let mut t = [0.0; 3];
    for &(x, y) in window {
        let u = if width > 0.0 { (x - at) / width } else { 0.0 };
        let mut power = tricube(u.abs());
        for (degree, sum) in s.iter_mut().enumerate() {
            *sum += power;
            if let Some(sum) = t.get_mut(degree) {
                *sum += power * y;
            }
            power *= u;
        }
    }
    let (value, slope) = evaluate(&s, &t);
    // Of a neighbourhood next to a point the slope has no number, and there is nowhere to go with it.
    let slope = slope / width;
    (value, if slope.is_finite() { slope } else { 0.0 })
}

/// The number of cases that a span takes in.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number of cases, at most n"
)]
fn neighbours(n: usize, span: f64) -> usize {
    // The small addend keeps n·span from falling below an integer by rounding.
    ((len_to_f64(n) * span + 1e-5) as usize).clamp(1, n)
}

/// The number of cases that a cell may hold.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number of cases, at most n"
)]
fn cases_of_a_cell(n: usize, span: f64) -> usize {
    (len_to_f64(n) * (span * CELL)) as usize
}

fn nearest(sorted: &[(f64, f64)], neighbours: usize, at: f64) -> &[(f64, f64)] {
    let mut low = 0;
    let mut high = sorted.len() - neighbours;
    // The best window starts where its left end stops being farther than the case to its right.
    while low < high {
        let middle = low.midpoint(high);
        if at - sorted[middle].0 > sorted[middle + neighbours].0 - at {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    &sorted[low..low + neighbours]
}

fn tricube(u: f64) -> f64 {
    if u <= NEAREST {
        return 1.0;
    }
    if u >= FARTHEST {
        return 0.0;
    }
    let v = 1.0 - u * u * u;
    v * v * v
}

/// The value and slope at 0 of the weighted least-squares quadratic with moments `s` (of 1 … u⁴) and `t`
/// (of y, uy, u²y); of what is left of it in a degenerate neighbourhood.
fn evaluate(s: &[f64; 5], t: &[f64; 3]) -> (f64, f64) {
    if s[0] <= 0.0 {
        return (0.0, 0.0);
    }
    let mean = t[0] / s[0];
    // p₁ = u − s₁/s₀
    let norm1 = s[2] - s[1] * s[1] / s[0];
    if norm1 <= DEGENERATE * s[0] {
        return (mean, 0.0);
    }
    let p1 = -s[1] / s[0];
    let b1 = (t[1] - s[1] * mean) / norm1;
    // p₂ = u² − s₂/s₀ − slope · p₁
    let slope = (s[3] - s[1] * s[2] / s[0]) / norm1;
    let norm2 = s[4] - s[2] * s[2] / s[0] - slope * slope * norm1;
    if norm2 <= DEGENERATE * s[0] {
        return (mean + b1 * p1, b1);
    }
    let p2 = -s[2] / s[0] - slope * p1;
    let b2 = (t[2] - s[2] * mean - slope * (t[1] - s[1] * mean)) / norm2;
    (mean + b1 * p1 + b2 * p2, b1 - b2 * slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadratic_is_reproduced() {
        let curve = |x: f64| 0.3 - 0.7 * x + 1.1 * x * x;
        let sorted: Vec<_> = (0..40).map(|i| f64::from(i) / 40.0).map(|x| (x, curve(x))).collect();
        let loess = Loess::of(&sorted, 0.75);
        for at in [0.0, 0.11, 0.5, 0.97] {
            let (value, slope) = fitted(&sorted, 30, at);
            assert!((value - curve(at)).abs() < 1e-12, "{at}");
            assert!((slope - (2.2 * at - 0.7)).abs() < 1e-11, "{at}");
            // Between vertices stands a cubic, and a quadratic is one.
            assert!((loess.at(at) - curve(at)).abs() < 1e-12, "{at}");
        }
    }

    #[test]
    fn the_curve_is_that_of_r() {
        // fitted(loess(y ~ x)) in R 4.2.2 for x = i/20 and y = x < 0.4 or x > 0.8.
        let x = |i: i32| f64::from(i) / 20.0;
        let y = |x: f64| f64::from(u8::from(!(0.4..=0.8).contains(&x)));
        let sorted: Vec<_> = (0..=20).map(|i| (x(i), y(x(i)))).collect();
        let loess = Loess::of(&sorted, 0.75);
        let wanted = [
            0.957_990_047_948,
            0.992_204_572_859,
            0.386_551_754_127,
            -0.097_349_183_022,
            0.336_863_825_844,
            1.237_034_127_045,
        ];
        for (i, wanted) in (0..=20).step_by(4).zip(wanted) {
            assert!((loess.at(x(i)) - wanted).abs() < 1e-8, "{i}: {}", loess.at(x(i)));
        }
    }

    #[test]
    fn one_value_alone_gives_its_mean() {
        let (value, slope) = fitted(&[(0.2, 0.0), (0.2, 1.0), (0.8, 1.0), (0.8, 1.0)], 2, 0.8);
        assert!((value - 1.0).abs() < 1e-12 && slope.abs() < 1e-12);
    }

    #[test]
    fn cells_hold_few_cases_and_tied_ones_are_not_cut() {
        let spread: Vec<_> = (0..100).map(|i| (f64::from(i), 0.0)).collect();
        assert_eq!(places(&spread, 15).len(), 9);
        let tied: Vec<_> = (0..100).map(|i| (f64::from(i / 50), 0.0)).collect();
        // One at each value, and both ends.
        assert_eq!(places(&tied, 15).len(), 4);
    }

    #[test]
    fn the_window_holds_the_nearest_cases() {
        let sorted: Vec<_> = (0..10).map(|i| (f64::from(i), 0.0)).collect();
        let window = nearest(&sorted, 3, 7.2);
        assert!((window[0].0 - 6.0).abs() < 1e-15 && (window[2].0 - 8.0).abs() < 1e-15);
    }
}
