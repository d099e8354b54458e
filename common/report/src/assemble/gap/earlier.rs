//! The power of gaps as revisions before the fourth told it: their packages are held to what they told.
//!
//! It was judged by the normal distribution and Wald's error, whatever the interval was formed with. Of two or three
//! sites it promised far more than they can show.

use fedval_stats::Interval;

/// The first revision that judges power as the interval is formed.
const FIRST_BY_INTERVAL: u32 = 4;
/// A power of 80 %, as a quantile of the normal distribution.
const POWER_QUANTILE: f64 = 0.841_621_233_572_914_3;

/// What a report of `revision` calls detectable with these gaps of sites and their errors; `None` of one that takes the
/// interval's error and distribution.
pub(super) fn detectable(revision: u32, gaps: &[(f64, f64)], tau2: f64, level: f64) -> Option<f64> {
    if revision >= FIRST_BY_INTERVAL {
        return None;
    }
    let critical = Interval::wald(0.0, 1.0, level).ok()?.upper;
    let weights: f64 = gaps.iter().map(|(_, se)| 1.0 / (se * se + tau2)).sum();
    Some((critical + POWER_QUANTILE) / weights.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The golden package of revision 3 tells these of its gap in sensitivity, at one site.
    #[test]
    fn a_revision_tells_what_it_told() {
        let (half, told) = (0.023_755_808_838_786, 0.033_956_707_068_104);
        let error = half / Interval::wald(0.0, 1.0, 0.95).unwrap().upper;
        for revision in 1..FIRST_BY_INTERVAL {
            let found = detectable(revision, &[(0.012, error)], 0.0, 0.95).unwrap();
            assert!((found - told).abs() < 1e-12, "{found}");
        }
        assert_eq!(detectable(FIRST_BY_INTERVAL, &[(0.012, error)], 0.0, 0.95), None);
    }

    #[test]
    fn what_lies_between_sites_widens_what_goes_unseen() {
        let gaps = [(0.1, 0.03), (-0.1, 0.04)];
        let [apart, alike] = [0.02, 0.0].map(|tau2| detectable(3, &gaps, tau2, 0.95).unwrap());
        assert!((alike - 2.801_585 * 0.024).abs() < 1e-6 && apart > 0.28, "{alike} {apart}");
    }
}
