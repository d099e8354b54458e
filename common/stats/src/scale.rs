//! Probabilities and logits as types, and the two maps between them.

/// A number that is not a probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number is not a probability between 0 and 1")]
pub struct NotAProbability;

/// A number that is not a logit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number is not a finite logit")]
pub struct NotALogit;

/// A probability: a number in [0, 1], ends included.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Probability(f64);

impl Probability {
    /// Accepts a number in [0, 1].
    ///
    /// # Errors
    ///
    /// [`NotAProbability`] for anything else, NaN included.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::scale::Probability;
    ///
    /// assert!(Probability::new(0.25).is_ok());
    /// assert!(Probability::new(f64::NAN).is_err());
    /// ```
    pub fn new(value: f64) -> Result<Self, NotAProbability> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(NotAProbability) }
    }

    /// The probability as a number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

/// A finite log-odds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Logit(f64);

impl Logit {
    /// Accepts a finite number.
    ///
    /// # Errors
    ///
    /// [`NotALogit`] for an infinity or NaN.
    pub fn new(value: f64) -> Result<Self, NotALogit> {
        if value.is_finite() { Ok(Self(value)) } else { Err(NotALogit) }
    }

    /// The log-odds as a number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

/// `1 / (1 + e^−x)`, computed so that neither end overflows.
///
/// # Examples
///
/// ```
/// use fedval_stats::scale::{expit, logit};
///
/// assert!((expit(logit(0.2)) - 0.2).abs() < 1e-15);
/// ```
#[must_use]
pub fn expit(x: f64) -> f64 {
    // The exponent is never positive, so the exponential never exceeds 1.
    let e = libm::exp(-x.abs());
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// `ln(p / (1 − p))` for p strictly between 0 and 1.
///
/// At 0 and 1 the logit is infinite: callers exclude them, or go through
/// [`GridScore`](crate::grid::GridScore), which clips.
///
/// # Examples
///
/// ```
/// // Odds of 0.8 to 0.2, and ln 4.
/// assert!((fedval_stats::scale::logit(0.8) - 1.386_294_4).abs() < 1e-7);
/// ```
#[must_use]
pub fn logit(p: f64) -> f64 {
    libm::log(p) - libm::log1p(-p)
}

/// `ln(1 + e^x)` without overflow: minus the log-likelihood of a non-event with log-odds x.
pub(crate) fn log1p_exp(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expit_does_not_overflow_at_either_end() {
        assert!((expit(800.0) - 1.0).abs() < 1e-300);
        assert!(expit(-800.0) >= 0.0 && expit(-800.0) < 1e-300);
    }

    #[test]
    fn infinities_are_not_logits() {
        assert_eq!(Logit::new(f64::INFINITY), Err(NotALogit));
        assert_eq!(Logit::new(1.5).map(Logit::get), Ok(1.5));
    }

    #[test]
    fn log1p_exp_is_linear_far_right_and_zero_far_left() {
        assert!((log1p_exp(800.0) - 800.0).abs() < 1e-12);
        assert!(log1p_exp(-800.0).abs() < 1e-300);
    }
}
