//! Brent's method for the root of a function of one variable.
//!
//! Bisection guarantees the bracket, inverse interpolation gives the speed: no derivative is
//! needed and the method cannot leave the bracket.
//!
//! # References
//!
//! - R. P. Brent (1973). Algorithms for Minimization without Derivatives, chapter 4.

/// Brent's bound: each bisection is followed by at most a few interpolations, and 1 100 bisections
/// exhaust the whole exponent range of an f64.
const MAX_STEPS: u32 = 5_000;

/// Below this width two points are the same for every purpose of this crate.
const TINY: f64 = 1e-300;

/// The state of the iteration: the best point so far, the previous one, and the other side.
struct Bracket {
    /// The point with the smallest residual.
    best: (f64, f64),
    /// The previous best point.
    previous: (f64, f64),
    /// The point whose residual has the other sign.
    opposite: (f64, f64),
    /// The step taken, and the step before it.
    steps: (f64, f64),
}

impl Bracket {
    /// The step that interpolation proposes, or `None` where bisection is safer.
    #[expect(clippy::many_single_char_names, reason = "the symbols of Brent's book")]
    fn interpolation(&self, half: f64, tolerance: f64) -> Option<f64> {
        let ((b, fb), (a, fa), (c, fc)) = (self.best, self.previous, self.opposite);
        if self.steps.1.abs() < tolerance || fa.abs() <= fb.abs() {
            return None;
        }
        let s = fb / fa;
        let (p, q) = if same(a, c) {
            (2.0 * half * s, 1.0 - s)
        } else {
            let (q, r) = (fa / fc, fb / fc);
            (
                s * (2.0 * half * q * (q - r) - (b - a) * (r - 1.0)),
                (q - 1.0) * (r - 1.0) * (s - 1.0),
            )
        };
        let (p, q) = if p > 0.0 { (p, -q) } else { (-p, q) };
        let inside = 2.0 * p < (3.0 * half * q - (tolerance * q).abs());
        let shrinking = p < (0.5 * self.steps.1 * q).abs();
        (inside && shrinking).then(|| p / q)
    }

    /// Restores the invariants: the root lies between `best` and `opposite`, and `best` is best.
    fn restore(&mut self) {
        if (self.best.1 > 0.0) == (self.opposite.1 > 0.0) {
            self.opposite = self.previous;
            let width = self.best.0 - self.previous.0;
            self.steps = (width, width);
        }
        if self.opposite.1.abs() < self.best.1.abs() {
            self.previous = self.best;
            self.best = self.opposite;
            self.opposite = self.previous;
        }
    }
}

/// Whether two points of the iteration are the same point.
#[expect(clippy::float_cmp, reason = "asks whether one value is a copy of the other")]
fn same(a: f64, b: f64) -> bool {
    a == b
}

/// The root of `f` between `a` and `b`, to the last few bits.
///
/// `None` where `f` has one sign at both ends or is NaN at one of them. An end at which `f` is
/// exactly 0 is returned as the root.
pub(crate) fn brent(f: impl Fn(f64) -> f64, a: f64, b: f64) -> Option<f64> {
    let (fa, fb) = (f(a), f(b));
    if fa.abs() <= 0.0 {
        return Some(a);
    }
    if fb.abs() <= 0.0 {
        return Some(b);
    }
    if fa.is_nan() || fb.is_nan() || (fa > 0.0) == (fb > 0.0) {
        return None;
    }
    let mut state =
        Bracket { best: (b, fb), previous: (a, fa), opposite: (a, fa), steps: (b - a, b - a) };
    for _ in 0..MAX_STEPS {
        state.restore();
        let (x, fx) = state.best;
        let tolerance = 2.0 * f64::EPSILON * x.abs() + TINY;
        let half = 0.5 * (state.opposite.0 - x);
        if half.abs() <= tolerance || fx.abs() <= 0.0 {
            return Some(x);
        }
        state.steps = match state.interpolation(half, tolerance) {
            Some(step) => (step, state.steps.0),
            None => (half, half),
        };
        state.previous = state.best;
        let step = state.steps.0;
        let next = x + if step.abs() > tolerance { step } else { tolerance.copysign(half) };
        state.best = (next, f(next));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::brent;

    #[test]
    fn a_simple_root_is_found_to_the_last_bits() {
        let root = brent(|x| x * x - 2.0, 0.0, 2.0).unwrap();
        assert!((root - std::f64::consts::SQRT_2).abs() < 1e-15);
    }

    #[test]
    fn a_tiny_root_is_found_to_relative_precision() {
        let root = brent(|x| libm::log(x) + 500.0, 1e-300, 1.0).unwrap();
        assert!((root / libm::exp(-500.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_step_is_bisected() {
        let root = brent(|x| if x < 0.3 { -1.0 } else { 1.0 }, 0.0, 1.0).unwrap();
        assert!((root - 0.3).abs() < 1e-12);
    }

    #[test]
    fn no_sign_change_is_no_root() {
        assert_eq!(brent(|x| x * x + 1.0, -1.0, 1.0), None);
        assert_eq!(brent(|_| f64::NAN, -1.0, 1.0), None);
    }
}
