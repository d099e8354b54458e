//! Proportions (sensitivity, specificity, predictive values) and clustered means.
//!
//! [`wilson`] is what reports show; [`clopper_pearson`] is the conservative interval that
//! regulators ask for; [`jeffreys`] is kept for comparison. [`newcombe10`] and [`fisher_exact`] compare two
//! independent proportions. Where a patient has several images,
//! [`clustered`] and [`clustered_interval`] replace them.

mod beta_intervals;
mod clustered;
mod fisher;
mod newcombe10;
mod wilson;

pub use beta_intervals::{clopper_pearson, jeffreys};
pub use clustered::{
    ClusteredProportion, clustered, clustered_interval, interval_of_error, ratio_mean,
};
pub use fisher::fisher_exact;
pub use newcombe10::newcombe10;
pub use wilson::wilson;

use crate::NotEstimable;
use crate::count::count_to_f64;

/// The proportion x / n.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] for n = 0, [`NotEstimable::InvalidInput`] for x > n.
///
/// # Examples
///
/// ```
/// use fedval_stats::NotEstimable;
/// use fedval_stats::proportion::estimate;
///
/// assert!((estimate(3, 4)? - 0.75).abs() < 1e-15);
/// assert_eq!(estimate(0, 0), Err(NotEstimable::EmptyInput));
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn estimate(x: u64, n: u64) -> Result<f64, NotEstimable> {
    if n == 0 {
        Err(NotEstimable::EmptyInput)
    } else if x > n {
        Err(NotEstimable::InvalidInput)
    } else {
        Ok(count_to_f64(x) / count_to_f64(n))
    }
}
