//! DC-11: a spread needs ten degrees of freedom more than a mean; on grids it has two figures.
//!
//! The sums of squares that `standard` releases are spreads: a group of patients whose number is
//! below k + 10 is hidden.
//!
//! Source: ACRO `safe_dof_threshold` 10; mean and SD of two people give both away.

use fedval_study::coarse::OnGrid;

/// Degrees of freedom beyond k.
const MORE: u64 = 10;

/// Whether a group is large enough for a spread.
#[must_use]
pub const fn has_enough(patients: u64, k: u64) -> bool {
    patients >= k + MORE
}

/// A positive number to two significant figures, never rounded down to zero.
#[must_use]
pub fn two_figures(value_micro: u64) -> OnGrid {
    let mut grid = 1;
    while value_micro / grid >= 100 {
        grid *= 10;
    }
    let figures = (value_micro + grid / 2) / grid;
    let value_micro = i64::try_from(figures.saturating_mul(grid)).unwrap_or(i64::MAX);
    OnGrid { value_micro, grid_micro: grid }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_figures_are_kept() {
        assert_eq!(two_figures(123_456).value_micro, 120_000);
        assert_eq!(two_figures(995_000).value_micro, 1_000_000);
        assert_eq!(two_figures(7).value_micro, 7);
        assert!(has_enough(21, 11) && !has_enough(20, 11));
    }
}
