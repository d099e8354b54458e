//! Mean and spread of a measurement, mergeable without rounding.

use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::interval::{Interval, critical_t};
use crate::wide::Wide;

/// Steps in one unit: values are rounded to 10⁻¹⁰ before they are summed.
pub(crate) const STEPS: f64 = 1e10;

/// The same, as an integer.
const WHOLE: i128 = 10_000_000_000;

/// The largest value in either direction.
const LARGEST: f64 = 1e12;

/// Count, sum and sum of squares of values on a grid of 10⁻¹⁰.
///
/// Sums on a grid are integers: merging is exact, and gives the same in every order, which merging
/// floating-point means (Chan, Golub and LeVeque) does not. Values lie within ±10¹², in their unit; there is
/// room for more of them than a 64-bit count has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Moments {
    /// Values.
    pub n: u64,
    /// `Σx`, in 10⁻¹⁰.
    pub sum: i128,
    /// `Σx²`, in 10⁻²⁰.
    pub squares: Wide,
}

impl Moments {
    /// Sums values.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where a value is not finite or beyond ±10¹².
    pub fn of(values: impl IntoIterator<Item = f64>) -> Result<Self, NotEstimable> {
        values.into_iter().try_fold(Self::default(), |sums, value| {
            let steps = steps(value)?;
            let size = steps.unsigned_abs();
            Ok(sums.merge(Self { n: 1, sum: steps, squares: Wide::product(size, size) }))
        })
    }

    /// The sums of two disjoint sets of values together (saturating).
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            n: self.n.saturating_add(other.n),
            sum: self.sum.saturating_add(other.sum),
            squares: self.squares.checked_add(other.squares).unwrap_or(Wide::MAX),
        }
    }

    /// The mean, in the values' unit.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without values.
    pub fn mean(&self) -> Result<f64, NotEstimable> {
        if self.n == 0 {
            return Err(NotEstimable::EmptyInput);
        }
        Ok(self.signed_sum() / count_to_f64(self.n) / STEPS)
    }

    /// `Σ(x − mean)²`, in the squared unit; 0 without values.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where no values have such sums, or they had no room.
    pub fn squared_deviations(&self) -> Result<f64, NotEstimable> {
        if self.n == 0 {
            return Ok(0.0);
        }
        let sum = self.sum.unsigned_abs();
        let times = self.squares.checked_mul(self.n).ok_or(NotEstimable::InvalidInput)?;
        let scaled = times.difference(Wide::product(sum, sum));
        let deviations = scaled / count_to_f64(self.n) / STEPS / STEPS;
        if deviations >= 0.0 { Ok(deviations) } else { Err(NotEstimable::InvalidInput) }
    }

    /// The sample standard deviation, with n − 1, in the values' unit.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without values, [`NotEstimable::TooFewPerClass`] with one,
    /// [`NotEstimable::InvalidInput`] where no values have such sums.
    pub fn sd(&self) -> Result<f64, NotEstimable> {
        match self.n {
            0 => Err(NotEstimable::EmptyInput),
            1 => Err(NotEstimable::TooFewPerClass),
            n => Ok(libm::sqrt(self.squared_deviations()? / count_to_f64(n - 1))),
        }
    }

    /// The mean with its t interval, `mean ∓ t_{n−1} sd / √n`.
    ///
    /// # Errors
    ///
    /// Those of [`sd`](Self::sd) and [`NotEstimable::LevelOutOfRange`].
    pub fn mean_interval(&self, level: f64) -> Result<Interval, NotEstimable> {
        let (mean, sd) = (self.mean()?, self.sd()?);
        let n = count_to_f64(self.n);
        let half_width = critical_t(level, n - 1.0)? * sd / libm::sqrt(n);
        Ok(Interval { estimate: mean, lower: mean - half_width, upper: mean + half_width, level })
    }

    fn signed_sum(&self) -> f64 {
        let size = count_to_f64(self.sum.unsigned_abs());
        if self.sum < 0 { -size } else { size }
    }
}

/// The whole part and the rest apart: neither loses a digit.
#[expect(clippy::cast_possible_truncation, reason = "within ±10¹² after the check")]
pub(crate) fn steps(value: f64) -> Result<i128, NotEstimable> {
    if value.abs() <= LARGEST {
        let whole = libm::trunc(value);
        Ok(whole as i128 * WHOLE + libm::round((value - whole) * STEPS) as i128)
    } else {
        Err(NotEstimable::InvalidInput)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_offset_costs_no_digits() {
        let moments = Moments::of([99_999.0, 99_999.5, 100_000.0]).unwrap();
        assert!((moments.sd().unwrap() - 0.5).abs() < 1e-12);
        // The last digit of such a number is 1.2e-7.
        let far = Moments::of([1e9, 1e9 + 0.125, 1e9 + 0.25]).unwrap();
        assert!((far.sd().unwrap() - 0.125).abs() < 1e-12);
    }

    #[test]
    fn few_values_have_no_spread() {
        assert_eq!(Moments::default().mean(), Err(NotEstimable::EmptyInput));
        let one = Moments::of([-2.5]).unwrap();
        assert!((one.mean().unwrap() + 2.5).abs() < 1e-15);
        assert_eq!(one.sd(), Err(NotEstimable::TooFewPerClass));
    }

    #[test]
    fn what_cannot_be_summed_is_refused() {
        for value in [f64::NAN, f64::INFINITY, -1e13] {
            assert_eq!(Moments::of([value]), Err(NotEstimable::InvalidInput));
        }
        let full = Moments { n: 2, sum: 0, squares: Wide::MAX };
        assert_eq!(full.sd(), Err(NotEstimable::InvalidInput));
        let impossible = Moments { n: 2, sum: 100, squares: Wide { high: 0, low: 1 } };
        assert_eq!(impossible.sd(), Err(NotEstimable::InvalidInput));
    }
}
