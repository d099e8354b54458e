//! DC-12: a quantile needs k patients beyond it, and is told as a bin of the protocol.
//!
//! A median needs 2k patients, quartiles 4k, the 5th and 95th percentiles 20k; what is told is the
//! fixed bin in which it lies, never an order statistic, which is somebody's value.
//!
//! Source: DataSHIELD `quantileMeanDS` (5 % to 95 %, never the extremes); statbarn *Position*.

use super::dc13_extremes;

/// Whether the quantile `percent` of so many patients may be told.
#[must_use]
pub const fn may_be_told(patients: u64, percent: u64, k: u64) -> bool {
    if dc13_extremes::is_one(percent) {
        return false;
    }
    let beyond = if percent < 50 { percent } else { 100 - percent };
    patients.saturating_mul(beyond) >= k.saturating_mul(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quantile_needs_its_number_of_patients() {
        for (percent, least) in [(50, 22), (25, 44), (75, 44), (10, 110), (95, 220)] {
            assert!(may_be_told(least, percent, 11), "{percent}");
            assert!(!may_be_told(least - 1, percent, 11), "{percent}");
        }
        assert!(!may_be_told(u64::MAX, 0, 11) && !may_be_told(u64::MAX, 100, 11));
    }
}
