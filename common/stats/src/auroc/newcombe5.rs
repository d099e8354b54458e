//! Newcombe's method 5: a score-type interval for the AUROC.
//!
//! The limits are the areas t at which the estimate A lies z standard errors away, with the
//! Hanley–McNeil variance evaluated at t instead of at A:
//!
//! ```text
//! (A − t)² = z² V(t),   V(t) = t(1 − t) (1 + N (1 − t)/(2 − t) + N t/(1 + t)) / (n_pos n_neg)
//! N = (n_pos + n_neg)/2 − 1
//! ```
//!
//! Because V does not vanish at the limits, the interval stays informative at A = 0 and A = 1.
//! `(A − t)² − z² V(t)` is ≤ 0 at t = A and > 0 at the ends 0 and 1 (unless A is that end), so each
//! limit is bracketed.
//!
//! # References
//!
//! - R. G. Newcombe (2006). Confidence intervals for an effect size measure based on the
//!   Mann–Whitney statistic, part 2. Stat. Med. 25, 559–573 (method 5).

use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::interval::{Interval, critical_normal};
use crate::root::brent;

/// At A = 0 or 1 the end of the range is a trivial root; the search steps off it by this much.
const STEP_OFF: f64 = 1e-10;

/// The interval of method 5 for an area `auc` of `n_pos` positives and `n_neg` negatives, on the
/// probability scale. At an area of 1 the upper limit is 1, at 0 the lower limit is 0.
///
/// # Errors
///
/// [`NotEstimable::OneClassOnly`] where a class is empty; [`NotEstimable::InvalidInput`] where
/// `auc` lies outside [0, 1]; [`NotEstimable::LevelOutOfRange`]; [`NotEstimable::NotConverged`]
/// where the classes are so large that a limit cannot be told from the end of the range.
///
/// # Examples
///
/// ```
/// let perfect = fedval_stats::auroc::newcombe5(1.0, 12, 15, 0.95)?;
/// assert!((perfect.lower - 0.848_23).abs() < 1e-5);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn newcombe5(auc: f64, n_pos: u64, n_neg: u64, level: f64) -> Result<Interval, NotEstimable> {
    if n_pos == 0 || n_neg == 0 {
        return Err(NotEstimable::OneClassOnly);
    }
    if !(0.0..=1.0).contains(&auc) {
        return Err(NotEstimable::InvalidInput);
    }
    let z = critical_normal(level)?;
    let (m, n) = (count_to_f64(n_pos), count_to_f64(n_neg));
    let half_total = f64::midpoint(m, n) - 1.0;
    let excess = |t: f64| {
        let shape = 1.0 + half_total * (1.0 - t) / (2.0 - t) + half_total * t / (1.0 + t);
        (auc - t) * (auc - t) - z * z * t * (1.0 - t) * shape / (m * n)
    };
    let lower = if auc <= 0.0 {
        0.0
    } else {
        let from = if auc >= 1.0 { 1.0 - STEP_OFF } else { auc };
        brent(excess, 0.0, from).ok_or(NotEstimable::NotConverged)?
    };
    let upper = if auc >= 1.0 {
        1.0
    } else {
        let from = if auc <= 0.0 { STEP_OFF } else { auc };
        brent(excess, from, 1.0).ok_or(NotEstimable::NotConverged)?
    };
    Ok(Interval::covering(auc, lower, upper, level))
}

#[cfg(test)]
mod tests {
    use super::newcombe5;

    #[test]
    fn an_area_of_zero_mirrors_an_area_of_one() {
        let one = newcombe5(1.0, 12, 15, 0.95).unwrap();
        let zero = newcombe5(0.0, 15, 12, 0.95).unwrap();
        assert!((zero.upper - (1.0 - one.lower)).abs() < 1e-12);
    }

    #[test]
    fn one_case_a_class_is_nearly_uninformative_but_an_interval() {
        let interval = newcombe5(1.0, 1, 1, 0.95).unwrap();
        assert!(interval.lower > 0.0 && interval.lower < 0.25);
    }
}
