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

/// The widest standard deviation, with n − 1, that `patients` values from 0 to 1 with this mean can have, to two figures:
/// what stands in the place of one that would tell of few. It says nothing that the mean does not.
///
/// Source: R. Bhatia, C. Davis (2000). A better bound on the variance. Am. Math. Mon. 107, 353–357.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share, and patients of a cohort"
)]
pub fn widest_of_shares(mean: OnGrid, patients: u64, finest_micro: u64) -> OnGrid {
    // The mean was rounded: of what it may have been, what lies nearest to a half.
    let (told, half) = (mean.value().clamp(0.0, 1.0), mean.grid_micro as f64 / 2e6);
    let share = if told < 0.5 { (told + half).min(0.5) } else { (told - half).max(0.5) };
    let n = patients.max(2) as f64;
    let sd = (share * (1.0 - share) * n / (n - 1.0)).sqrt();
    two_figures(((sd * 1e6).round() as u64).max(finest_micro))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_spread_of_shares_is_that_of_zeros_and_ones() {
        let mean = OnGrid { value_micro: 250_000, grid_micro: 2 };
        // Five ones and fifteen zeros: 0.4443.
        assert_eq!(widest_of_shares(mean, 20, 1_000).value_micro, 440_000);
        let end = OnGrid { value_micro: 1_000_000, grid_micro: 2 };
        assert_eq!(widest_of_shares(end, 20, 1_000).value_micro, 1_000);
    }

    #[test]
    fn a_rounded_mean_may_have_been_nearer_to_a_half() {
        // One of twenty has 0.4: 0.02 is told as 0, and zeros and ones with a mean of 0.025 spread by 0.160.
        let nothing = OnGrid { value_micro: 0, grid_micro: 50_000 };
        assert_eq!(widest_of_shares(nothing, 20, 1_000).value_micro, 160_000);
        let all = OnGrid { value_micro: 1_000_000, grid_micro: 50_000 };
        assert_eq!(widest_of_shares(all, 20, 1_000).value_micro, 160_000);
        let middle = OnGrid { value_micro: 500_000, grid_micro: 50_000 };
        assert_eq!(widest_of_shares(middle, 20, 1_000).value_micro, 510_000);
    }

    #[test]
    fn two_figures_are_kept() {
        assert_eq!(two_figures(123_456).value_micro, 120_000);
        assert_eq!(two_figures(995_000).value_micro, 1_000_000);
        assert_eq!(two_figures(7).value_micro, 7);
        assert!(has_enough(21, 11) && !has_enough(20, 11));
    }
}
