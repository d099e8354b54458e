//! How many cases, and how many sites, a study needs for a stated precision.
//!
//! Each function gives the smallest size at which a 95 % interval (or one of another level) is expected to
//! be no wider than what is asked for, should the index test perform as expected. Nothing here looks at
//! data.
//!
//! # References
//!
//! - R. D. Riley et al. (2021). Minimum sample size for external validation of a clinical prediction model
//!   with a binary outcome. Stat. Med. 40, 4230–4251.

mod auroc;
mod calibration_slope;
mod information;
mod prediction;
mod sensitivity;
mod site;

pub use auroc::{auroc_cases, auroc_width};
pub use calibration_slope::{LinearPredictor, calibration_slope_cases};
pub use prediction::{PredictionPlan, sites_for_prediction};
pub use sensitivity::sensitivity_positives;
pub use site::releasable_site_cases;

use crate::NotEstimable;

/// No study is larger than this.
const MOST: u64 = 1 << 40;

/// The smallest size in `from..=MOST` that suffices, where every larger one suffices too.
///
/// # Errors
///
/// [`NotEstimable::OutOfReach`] where none does.
fn smallest(from: u64, suffices: impl Fn(u64) -> bool) -> Result<u64, NotEstimable> {
    let (mut below, mut enough) = (from, from);
    while !suffices(enough) {
        if enough >= MOST {
            return Err(NotEstimable::OutOfReach);
        }
        (below, enough) = (enough, (enough * 2).clamp(1, MOST));
    }
    while enough - below > 1 {
        let middle = below + (enough - below) / 2;
        if suffices(middle) {
            enough = middle;
        } else {
            below = middle;
        }
    }
    Ok(if suffices(below) { below } else { enough })
}

/// # Errors
///
/// [`NotEstimable::InvalidInput`] unless `value` lies strictly between 0 and 1.
fn inside(value: f64) -> Result<f64, NotEstimable> {
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err(NotEstimable::InvalidInput) }
}

/// # Errors
///
/// [`NotEstimable::InvalidInput`] unless `width` is positive and finite.
fn some_width(width: f64) -> Result<f64, NotEstimable> {
    if width > 0.0 && width.is_finite() { Ok(width) } else { Err(NotEstimable::InvalidInput) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_is_found_wherever_it_lies() {
        for wanted in [1, 2, 3, 17, 1_000_003] {
            assert_eq!(smallest(1, |size| size >= wanted), Ok(wanted));
        }
        assert_eq!(smallest(5, |_| true), Ok(5));
        assert_eq!(smallest(1, |_| false), Err(NotEstimable::OutOfReach));
    }
}
