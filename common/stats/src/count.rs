//! Counts as floating-point numbers: the one place where precision may be lost knowingly.

use crate::NotEstimable;

/// Turns a count into a number.
///
/// Exact below 2⁵³; above, rounded to nearest, a relative error of at most 2⁻⁵³ that no estimate
/// of this crate can notice.
#[expect(
    clippy::cast_precision_loss,
    reason = "rounding to nearest is the intended meaning and is documented above"
)]
pub(crate) fn count_to_f64(count: impl Into<u128>) -> f64 {
    count.into() as f64
}

/// A number that did not overflow on its way.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`]: the input was so extreme that a result is not finite.
pub(crate) fn finite(number: f64) -> Result<f64, NotEstimable> {
    if number.is_finite() { Ok(number) } else { Err(NotEstimable::InvalidInput) }
}

/// Turns a length into a number; see [`count_to_f64`].
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
pub(crate) fn len_to_f64(len: usize) -> f64 {
    len as f64
}
