//! Cases that let a site's results leave it.

use super::{inside, smallest};
use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::special::beta;

/// No site releases anything with fewer cases.
const FEWEST: u64 = 20;

/// The smallest site that has at least `k` positives and `k` negatives with probability `assurance`, where a
/// share of `prevalence` of its cases is expected to be positive; never fewer than 20 or 2k.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] unless `prevalence` and `assurance` lie in (0, 1) and k is positive;
/// [`NotEstimable::OutOfReach`] where no number suffices.
///
/// # Examples
///
/// ```
/// use fedval_stats::sample_size::releasable_site_cases;
///
/// assert_eq!(releasable_site_cases(0.5, 5, 0.5)?, 20);
/// assert!(releasable_site_cases(0.1, 11, 0.9)? > 110);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn releasable_site_cases(prevalence: f64, k: u64, assurance: f64) -> Result<u64, NotEstimable> {
    let (share, assurance) = (inside(prevalence)?, inside(assurance)?);
    if k == 0 {
        return Err(NotEstimable::InvalidInput);
    }
    let fewest = FEWEST.max(k.checked_mul(2).ok_or(NotEstimable::InvalidInput)?);
    smallest(fewest, |cases| {
        // The probability of at least k of n is an incomplete beta function.
        let (a, b) = (count_to_f64(k), count_to_f64(cases - k + 1));
        let positives = beta::incomplete(a, b, share, 1.0 - share);
        let negatives = beta::incomplete(a, b, 1.0 - share, share);
        positives + negatives - 1.0 >= assurance
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probability_is_the_binomials() {
        // P(X >= 1 of n at 0.1) >= 0.95 from n = 29 on: 1 - 0.9^29 = 0.953, of 28 it is 0.948.
        assert_eq!(releasable_site_cases(0.1, 1, 0.95), Ok(29));
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        for (prevalence, k, assurance) in [(0.0, 11, 0.9), (0.1, 0, 0.9), (0.1, 11, 1.0)] {
            let reason = Err(NotEstimable::InvalidInput);
            assert_eq!(releasable_site_cases(prevalence, k, assurance), reason);
        }
        let reason = Err(NotEstimable::InvalidInput);
        assert_eq!(releasable_site_cases(0.1, u64::MAX, 0.9), reason);
    }
}
