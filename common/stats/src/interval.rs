//! A point estimate with its confidence interval.

use std::cell::Cell;

use crate::NotEstimable;
use crate::special::normal;

/// An estimate, its two-sided confidence limits and their level.
///
/// All three numbers stand on one scale, which the function that returns the interval names.
/// Functions of this crate return only finite numbers with `lower <= estimate <= upper`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The point estimate.
    pub estimate: f64,
    /// The lower confidence limit.
    pub lower: f64,
    /// The upper confidence limit.
    pub upper: f64,
    /// The confidence level, strictly between 0 and 1; usually 0.95.
    pub level: f64,
}

impl Interval {
    /// The Wald interval `estimate ∓ z·se`, with z the normal quantile at `(1 + level) / 2`.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::LevelOutOfRange`]; [`NotEstimable::InvalidInput`] where `estimate` is not
    /// finite or `se` is negative or not finite.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::Interval;
    ///
    /// let slope = Interval::wald(1.0, 0.1, 0.95)?;
    /// assert!((slope.upper - 1.195_996).abs() < 1e-6);
    /// # Ok::<(), fedval_stats::NotEstimable>(())
    /// ```
    pub fn wald(estimate: f64, se: f64, level: f64) -> Result<Self, NotEstimable> {
        if !estimate.is_finite() || !se.is_finite() || se < 0.0 {
            return Err(NotEstimable::InvalidInput);
        }
        let half_width = critical_normal(level)? * se;
        Ok(Self { estimate, lower: estimate - half_width, upper: estimate + half_width, level })
    }

    /// Student's interval `estimate ∓ t·se`, with t the quantile of `df` degrees of freedom at `(1 + level) / 2`.
    ///
    /// # Errors
    ///
    /// Those of [`wald`](Self::wald); [`NotEstimable::TooFewPerClass`] with less than one degree of freedom.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::Interval;
    ///
    /// let mean = Interval::student(0.0, 1.0, 10.0, 0.95)?;
    /// assert!((mean.upper - 2.228_139).abs() < 1e-6);
    /// # Ok::<(), fedval_stats::NotEstimable>(())
    /// ```
    pub fn student(estimate: f64, se: f64, df: f64, level: f64) -> Result<Self, NotEstimable> {
        if !estimate.is_finite() || !se.is_finite() || se < 0.0 || !df.is_finite() {
            return Err(NotEstimable::InvalidInput);
        }
        if df < 1.0 {
            return Err(NotEstimable::TooFewPerClass);
        }
        let half_width = critical_t(level, df)? * se;
        Ok(Self { estimate, lower: estimate - half_width, upper: estimate + half_width, level })
    }

    /// The interval with a strictly increasing function applied to its three numbers, for example
    /// from the logit scale to the probability scale.
    #[must_use]
    pub fn map_increasing(self, f: impl Fn(f64) -> f64) -> Self {
        Self {
            estimate: f(self.estimate),
            lower: f(self.lower),
            upper: f(self.upper),
            level: self.level,
        }
    }

    /// An interval whose limits are stretched to the estimate where rounding put them on the wrong
    /// side of it by an ulp.
    pub(crate) fn covering(estimate: f64, lower: f64, upper: f64, level: f64) -> Self {
        Self { estimate, lower: lower.min(estimate), upper: upper.max(estimate), level }
    }
}

/// The probability in one tail of a two-sided interval.
///
/// # Errors
///
/// [`NotEstimable::LevelOutOfRange`] unless `0 < level < 1` (NaN included).
pub(crate) fn tail(level: f64) -> Result<f64, NotEstimable> {
    if level > 0.0 && level < 1.0 {
        Ok((1.0 - level) / 2.0)
    } else {
        Err(NotEstimable::LevelOutOfRange)
    }
}

/// The two-sided normal critical value at `level`.
///
/// # Errors
///
/// [`NotEstimable::LevelOutOfRange`].
pub(crate) fn critical_normal(level: f64) -> Result<f64, NotEstimable> {
    if let Some((last, critical)) = LAST.get()
        && last == level.to_bits()
    {
        return Ok(critical);
    }
    let critical = normal::upper_quantile(tail(level)?);
    LAST.set(Some((level.to_bits(), critical)));
    Ok(critical)
}

thread_local! {
    /// A level and its critical value, as asked for last: a report asks a million times for the same one.
    static LAST: Cell<Option<(u64, f64)>> = const { Cell::new(None) };
}

/// The two-sided critical value of Student's t with `df` degrees of freedom at `level`.
///
/// # Errors
///
/// [`NotEstimable::LevelOutOfRange`].
pub(crate) fn critical_t(level: f64, df: f64) -> Result<f64, NotEstimable> {
    Ok(crate::special::student_t::upper_quantile(tail(level)?, df))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_of_zero_one_or_nan_is_refused() {
        for level in [0.0, 1.0, f64::NAN, -0.5, 2.0] {
            assert_eq!(Interval::wald(0.0, 1.0, level), Err(NotEstimable::LevelOutOfRange));
        }
    }

    #[test]
    fn a_negative_or_infinite_error_is_refused() {
        for se in [-1.0, f64::INFINITY, f64::NAN] {
            assert_eq!(Interval::wald(0.0, se, 0.95), Err(NotEstimable::InvalidInput));
        }
    }
}
