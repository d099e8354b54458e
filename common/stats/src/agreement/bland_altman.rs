//! Limits of agreement of two measurements.

use crate::NotEstimable;
use crate::aggregate::Moments;

/// Bland and Altman's factor. Their paper, and every figure drawn since, rounds 1.959964.
const FACTOR: f64 = 1.96;

/// Where differences of two measurements lie; in the measurements' unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlandAltman {
    /// The mean difference, first minus second.
    pub bias: f64,
    /// The standard deviation of the differences.
    pub sd: f64,
    /// `bias − 1.96 sd`.
    pub lower_limit: f64,
    /// `bias + 1.96 sd`.
    pub upper_limit: f64,
}

/// The limits of agreement from the moments of the differences.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without differences, [`NotEstimable::TooFewPerClass`] with one.
///
/// # References
///
/// - J. M. Bland, D. G. Altman (1986). Lancet 327, 307–310.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::Moments;
/// use fedval_stats::agreement::bland_altman;
///
/// let agreement = bland_altman(&Moments::of([1.0, 2.0, 3.0])?)?;
/// assert!((agreement.bias - 2.0).abs() < 1e-12 && (agreement.upper_limit - 3.96).abs() < 1e-9);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn bland_altman(differences: &Moments) -> Result<BlandAltman, NotEstimable> {
    let (bias, sd) = (differences.mean()?, differences.sd()?);
    let half_width = FACTOR * sd;
    Ok(BlandAltman { bias, sd, lower_limit: bias - half_width, upper_limit: bias + half_width })
}
