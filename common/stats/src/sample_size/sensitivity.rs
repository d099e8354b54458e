//! Positives for the precision of a sensitivity.

use super::{inside, smallest, some_width};
use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::interval::critical_normal;

/// Cases with the condition so that Wilson's interval of a sensitivity is expected to be at most `width`
/// wide; for a specificity, cases without it:
///
/// ```text
/// width = 2 z √(p(1 − p)/n + z²/4n²) / (1 + z²/n)
/// ```
///
/// Divide by the prevalence for cases in all.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] unless `sensitivity` lies in (0, 1) and `width` is positive;
/// [`NotEstimable::LevelOutOfRange`]; [`NotEstimable::OutOfReach`] where no number suffices.
///
/// # References
///
/// - R. G. Newcombe (1998). Stat. Med. 17, 857–872, method 3.
///
/// # Examples
///
/// ```
/// use fedval_stats::sample_size::sensitivity_positives;
///
/// assert_eq!(sensitivity_positives(0.9, 0.1, 0.95)?, 141);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn sensitivity_positives(
    sensitivity: f64,
    width: f64,
    level: f64,
) -> Result<u64, NotEstimable> {
    let (p, width, z) = (inside(sensitivity)?, some_width(width)?, critical_normal(level)?);
    smallest(1, |positives| {
        let n = count_to_f64(positives);
        let root = libm::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
        2.0 * z * root / (1.0 + z * z / n) <= width
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proportion::wilson;

    #[test]
    fn the_width_is_wilsons() {
        // 0.9 of 140 is a whole number.
        let interval = wilson(126, 140, 0.95).unwrap();
        let width = interval.upper - interval.lower;
        assert_eq!(sensitivity_positives(0.9, width + 1e-12, 0.95), Ok(140));
    }

    #[test]
    fn what_is_no_proportion_is_refused() {
        for (p, width) in [(0.0, 0.1), (1.0, 0.1), (f64::NAN, 0.1), (0.9, -1.0)] {
            assert_eq!(sensitivity_positives(p, width, 0.95), Err(NotEstimable::InvalidInput));
        }
    }
}
