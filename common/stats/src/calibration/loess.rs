//! Local quadratic regression with tricube weights, computed directly.
//!
//! At a point x₀ the ⌊span·n⌋ nearest cases enter with weight `(1 − (d/h)³)³`, h being the
//! distance of the farthest of them; a quadratic is fitted by weighted least squares and evaluated
//! at x₀. The fit is expanded in polynomials orthogonal under the weights, so that a
//! neighbourhood with too few distinct values simply loses its highest terms.
//!
//! # References
//!
//! - W. S. Cleveland, S. J. Devlin (1988). J. Am. Stat. Assoc. 83, 596–610.

use crate::count::len_to_f64;

/// A term is dropped where its squared norm is below this share of the total weight: the
/// neighbourhood cannot tell it from the lower ones.
const DEGENERATE: f64 = 1e-9;

/// The fitted value at `at`, from `sorted` cases `(x, y)` in order of x of which the nearest
/// `neighbours` enter. `sorted` must not be empty and `1 <= neighbours <= sorted.len()`.
pub(super) fn fitted(sorted: &[(f64, f64)], neighbours: usize, at: f64) -> f64 {
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
    evaluate(&s, &t)
}

/// The number of cases that a span takes in.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number of cases, at most n"
)]
pub(super) fn neighbours(n: usize, span: f64) -> usize {
    // The small addend keeps n·span from falling below an integer by rounding.
    ((len_to_f64(n) * span + 1e-5) as usize).clamp(1, n)
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
    // The farthest case keeps a vanishing weight, or a neighbourhood of two would have only one.
    let v = 1.0 - (u * u * u).min(0.999_999);
    v * v * v
}

/// The value at 0 of the weighted least-squares quadratic with moments `s` (of 1 … u⁴) and `t`
/// (of y, uy, u²y).
fn evaluate(s: &[f64; 5], t: &[f64; 3]) -> f64 {
    let mean = t[0] / s[0];
    // p₁ = u − s₁/s₀
    let norm1 = s[2] - s[1] * s[1] / s[0];
    if norm1 <= DEGENERATE * s[0] {
        return mean;
    }
    let p1 = -s[1] / s[0];
    let y1 = t[1] - s[1] * mean;
    let linear = mean + y1 / norm1 * p1;
    // p₂ = u² − s₂/s₀ − slope · p₁
    let slope = (s[3] - s[1] * s[2] / s[0]) / norm1;
    let norm2 = s[4] - s[2] * s[2] / s[0] - slope * slope * norm1;
    if norm2 <= DEGENERATE * s[0] {
        return linear;
    }
    let p2 = -s[2] / s[0] - slope * p1;
    let y2 = t[2] - s[2] * mean - slope * y1;
    linear + y2 / norm2 * p2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadratic_is_reproduced() {
        let curve = |x: f64| 0.3 - 0.7 * x + 1.1 * x * x;
        let sorted: Vec<_> = (0..40).map(|i| f64::from(i) / 40.0).map(|x| (x, curve(x))).collect();
        for at in [0.0, 0.11, 0.5, 0.97] {
            assert!((fitted(&sorted, 30, at) - curve(at)).abs() < 1e-12, "{at}");
        }
    }

    #[test]
    fn two_distinct_values_give_their_means() {
        let sorted = [(0.2, 0.0), (0.2, 1.0), (0.8, 1.0), (0.8, 1.0)];
        assert!((fitted(&sorted, 4, 0.2) - 0.5).abs() < 1e-3);
        assert!((fitted(&sorted, 2, 0.8) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_window_holds_the_nearest_cases() {
        let sorted: Vec<_> = (0..10).map(|i| (f64::from(i), 0.0)).collect();
        let window = nearest(&sorted, 3, 7.2);
        assert!((window[0].0 - 6.0).abs() < 1e-15 && (window[2].0 - 8.0).abs() < 1e-15);
    }
}
