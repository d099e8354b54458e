//! Newton's method where it is safe, bisection where it is not.

/// An interval that holds a root, and where to look next in it.
pub(super) struct Bracket {
    low: f64,
    high: f64,
    /// How far the last step went.
    last: f64,
}

impl Bracket {
    pub(super) const fn new(low: f64, high: f64) -> Self {
        Self { low, high, last: f64::INFINITY }
    }

    /// Keeps the half that a score at `here` points to, and proposes the next place: Newton's where it stays
    /// inside and at least halves the step, since with few nodes the slope is not quite the score's; else the
    /// middle.
    pub(super) fn next(&mut self, here: f64, score: f64, slope: f64, reach: f64) -> f64 {
        if score > 0.0 {
            self.low = here;
        } else {
            self.high = here;
        }
        let newton = here - score / slope;
        let step = (newton - here).abs();
        let is_inside = slope < 0.0 && newton >= self.low && newton <= self.high;
        let next = if is_inside && step <= reach && 2.0 * step <= self.last {
            newton
        } else {
            match (self.low.is_finite(), self.high.is_finite()) {
                (true, true) => f64::midpoint(self.low, self.high),
                (true, false) => here + reach,
                _ => here - reach,
            }
        };
        self.last = (next - here).abs();
        next
    }
}
