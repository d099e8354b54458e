//! DC-10: means of bounded quantities, where numbers stand on grids; and dominance.
//!
//! A mean over [0, 1] moves by at most a patient's share of the cases, so it stands on a grid at least
//! as coarse. A sum in which two patients make up 90 % says what those two have: no mean is shown.
//!
//! Source: EU SDC Handbook (2024), (n, k) dominance; ACRO `safe_nk_n` 2, `safe_nk_k` 0.90.

use fedval_study::coarse::OnGrid;
use fedval_study::measures::MeasureRange;

/// Distances of values that can be told apart, in 10⁻⁶.
pub const LADDER_MICRO: [u64; 6] = [1_000, 2_000, 5_000, 10_000, 20_000, 50_000];
/// A regression coefficient moves by some ten times a patient's share: logits lie several units apart.
pub const COEFFICIENT_LADDER_MICRO: [u64; 6] = [10_000, 20_000, 50_000, 100_000, 200_000, 500_000];

/// The finest rung that is at least `most_cases / cases`; `None` where the ladder ends before.
#[must_use]
pub fn coarsest(ladder: &[u64], most_cases: u64, cases: u64) -> Option<u64> {
    let influence = |grid: u64| u128::from(grid) * u128::from(cases);
    ladder.iter().copied().find(|grid| influence(*grid) >= u128::from(most_cases) * 1_000_000)
}

/// The grid of a mean; the last rung where none is coarse enough, which k patients never need.
#[must_use]
pub fn grid_micro(cases: u64, most_cases: u64) -> u64 {
    coarsest(&LADDER_MICRO, most_cases, cases).unwrap_or(1_000_000)
}

/// The grid of a mean of a measure over at least so many patients: the finest of 1, 2 and 5 times a power of ten that
/// is no finer than what one patient can do to the mean, nor than what the protocol lets be told.
#[must_use]
pub fn measure_grid_micro(range: &MeasureRange, patients: u64) -> u64 {
    let influence = range.span_micro().div_ceil(patients.max(1));
    let least = influence.max(range.finest_micro);
    let mut decade: u64 = 1;
    loop {
        for step in [1, 2, 5] {
            let grid = decade.saturating_mul(step);
            if grid >= least {
                return grid;
            }
        }
        decade = decade.saturating_mul(10);
    }
}

/// The grid of a fitted coefficient.
#[must_use]
pub fn coefficient_grid_micro(n_pos: u64, n_neg: u64, most_cases: u64) -> u64 {
    let most = most_cases.saturating_mul(10);
    coarsest(&COEFFICIENT_LADDER_MICRO, most, n_pos.min(n_neg)).unwrap_or(1_000_000)
}

/// The nearest value on a grid.
#[must_use]
pub fn on_grid(value_micro: i64, grid_micro: u64) -> OnGrid {
    let grid = i64::try_from(grid_micro).unwrap_or(i64::MAX).max(1);
    let half = grid / 2 * value_micro.signum();
    OnGrid { value_micro: value_micro.saturating_add(half) / grid * grid, grid_micro }
}

/// Whether the two largest of a sum's contributions make up 90 % of it.
#[must_use]
pub fn is_dominated(total: u128, two_largest: u128) -> bool {
    total > 0 && two_largest.saturating_mul(10) >= total.saturating_mul(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_stands_on_a_grid_that_hides_one_patient() {
        assert_eq!(grid_micro(1000, 1), 1_000);
        assert_eq!(grid_micro(22, 1), 50_000);
        assert_eq!(grid_micro(22, 3), 1_000_000);
        assert_eq!(on_grid(123_456, 5_000).value_micro, 125_000);
        assert_eq!(on_grid(-123_456, 50_000).value_micro, -100_000);
    }

    #[test]
    fn a_measure_stands_on_a_grid_that_hides_one_patient_however_many_there_are() {
        let range = |lower_micro, upper_micro, finest_micro| MeasureRange {
            measure: fedval_study::Measure::Error,
            lower_micro,
            upper_micro,
            finest_micro,
        };
        let error = range(-20_000_000, 20_000_000, 100_000);
        // 40 over 50 patients is 0.8, over 40 is 1, over 39 a little more.
        for (patients, grid) in [
            (50, 1_000_000),
            (40, 1_000_000),
            (39, 2_000_000),
            (300, 200_000),
            (1_000_000, 100_000),
        ] {
            assert_eq!(measure_grid_micro(&error, patients), grid, "{patients}");
            assert!(u128::from(grid) * u128::from(patients) >= 40_000_000);
        }
        assert_eq!(measure_grid_micro(&error, 0), 50_000_000);
        assert_eq!(measure_grid_micro(&range(0, 10, 3), 1_000), 5);
        assert_eq!(measure_grid_micro(&range(i64::MIN, i64::MAX, 1), 1), u64::MAX);
    }

    #[test]
    fn two_patients_who_are_nine_tenths_of_a_sum_dominate_it() {
        assert!(is_dominated(100, 90) && !is_dominated(100, 89) && !is_dominated(0, 0));
        assert!(is_dominated(u128::MAX / 9, u128::MAX / 9));
    }
}
