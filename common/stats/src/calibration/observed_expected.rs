//! The ratio of observed to expected events.

use crate::NotEstimable;
use crate::count::count_to_f64;

/// `(ln(O/E), se)` with `se = √((1 − O/n) / O)`: the ratio on the log scale, for synthesis.
///
/// E, the sum of the probabilities, counts as known: the error is that of O alone.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] for n = 0; [`NotEstimable::NoEvents`] for O = 0;
/// [`NotEstimable::ZeroVariance`] for O = n; [`NotEstimable::InvalidInput`] for O > n or an E that
/// is not positive and finite.
///
/// # References
///
/// - T. P. A. Debray et al. (2017). BMJ 356, i6460, appendix.
///
/// # Examples
///
/// ```
/// let (log_oe, se) = fedval_stats::calibration::log_oe(50, 50.0, 200)?;
/// assert!(log_oe.abs() < 1e-15 && (se - 0.015_f64.sqrt()).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn log_oe(observed: u64, expected: f64, n: u64) -> Result<(f64, f64), NotEstimable> {
    if n == 0 {
        return Err(NotEstimable::EmptyInput);
    }
    if observed > n || !expected.is_finite() || expected <= 0.0 {
        return Err(NotEstimable::InvalidInput);
    }
    if observed == 0 {
        return Err(NotEstimable::NoEvents);
    }
    if observed == n {
        return Err(NotEstimable::ZeroVariance);
    }
    let events = count_to_f64(observed);
    // ln O − ln E rather than the log of a quotient, which could overflow.
    let log_ratio = libm::log(events) - libm::log(expected);
    Ok((log_ratio, libm::sqrt(count_to_f64(n - observed) / count_to_f64(n) / events)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_precondition_has_its_reason() {
        assert_eq!(log_oe(0, 1.0, 0), Err(NotEstimable::EmptyInput));
        assert_eq!(log_oe(0, 1.0, 9), Err(NotEstimable::NoEvents));
        assert_eq!(log_oe(9, 1.0, 9), Err(NotEstimable::ZeroVariance));
        assert_eq!(log_oe(10, 1.0, 9), Err(NotEstimable::InvalidInput));
        assert_eq!(log_oe(3, 0.0, 9), Err(NotEstimable::InvalidInput));
        assert_eq!(log_oe(3, f64::NAN, 9), Err(NotEstimable::InvalidInput));
    }
}
