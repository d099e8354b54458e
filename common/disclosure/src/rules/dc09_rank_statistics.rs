//! DC-09: the AUROC, where numbers stand on grids.
//!
//! It needs 2k patients of each label, and a grid no finer than the largest influence of one patient:
//! the patient's share of the smaller label. Its standard error is Hanley and McNeil's, from what was
//! released; no variance components leave.
//!
//! Source: ACRO `safe_dof_threshold`; demonstration that the AUROCs of two cohorts which differ by one
//! patient give away that patient's rank (shared `design/disclosure.md`, section 2).

/// Distances of values that can be told apart, in 10⁻⁶.
pub const LADDER_MICRO: [u64; 4] = [5_000, 10_000, 20_000, 50_000];

/// The grid for an AUROC of so many cases, of which one patient has at most `most_cases` of a label;
/// `None` where none is coarse enough.
#[must_use]
pub fn grid_micro(n_pos: u64, n_neg: u64, most_cases: u64) -> Option<u64> {
    super::dc10_means::coarsest(&LADDER_MICRO, most_cases, n_pos.min(n_neg))
}

/// Whether there are patients enough of each label.
#[must_use]
pub const fn has_enough(with_positive: u64, with_negative: u64, k: u64) -> bool {
    with_positive >= 2 * k && with_negative >= 2 * k
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_hides_one_patient() {
        assert_eq!(grid_micro(22, 400, 1), Some(50_000));
        assert_eq!(grid_micro(60, 100, 1), Some(20_000));
        assert_eq!(grid_micro(1000, 1000, 1), Some(5_000));
        assert_eq!(grid_micro(1000, 1000, 8), Some(10_000));
        assert_eq!(grid_micro(19, 400, 1), None);
        assert!(has_enough(22, 22, 11) && !has_enough(21, 400, 11));
    }
}
