//! DeLong's sums: what a site sends for an AUROC of independent cases.

use super::inconsistent::{Inconsistent, require};
use crate::count::count_to_f64;
use crate::wide::product_at_most;

/// Sums of the doubled placements of a cohort's cases.
///
/// The doubled placement of positive i is `d_i = Σ_j (2 if x_i > y_j, 1 if x_i = y_j)`, in
/// `0..=2·n_neg`; of negative j it is `e_j = Σ_i (2 if x_i > y_j, 1 if tied)`, in `0..=2·n_pos`.
/// Doubling makes ties integers, so the sums are exact.
///
/// Not mergeable: placements compare the cases of one cohort with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RankSums {
    /// Positive cases.
    pub n_pos: u64,
    /// Negative cases.
    pub n_neg: u64,
    /// `Σ d_i = Σ e_j = 2U`, twice the Mann–Whitney statistic.
    pub doubled_u: u128,
    /// `Σ d_i²`.
    pub pos_squares: u128,
    /// `Σ e_j²`.
    pub neg_squares: u128,
}

impl RankSums {
    /// The Mann–Whitney statistic U: pairs that the positive wins, ties counting ½.
    #[must_use]
    pub fn mann_whitney_u(&self) -> f64 {
        count_to_f64(self.doubled_u) / 2.0
    }

    /// Tests the relations that hold for any data.
    ///
    /// # Errors
    ///
    /// The first relation of [`Inconsistent`] that is violated.
    pub fn check(&self) -> Result<(), Inconsistent> {
        let (n_pos, n_neg) = (u128::from(self.n_pos), u128::from(self.n_neg));
        require(
            product_at_most(self.doubled_u, 1, 2 * n_pos, n_neg),
            Inconsistent::RankSumExceedsPairs,
        )?;
        check_squares(self.doubled_u, self.pos_squares, n_pos, 2 * n_neg)?;
        check_squares(self.doubled_u, self.neg_squares, n_neg, 2 * n_pos)
    }
}

/// The relations between `Σt`, `Σt²` and `n` for integers `0 <= t <= largest`.
fn check_squares(sum: u128, squares: u128, n: u128, largest: u128) -> Result<(), Inconsistent> {
    require(product_at_most(sum, sum, n, squares), Inconsistent::SquaresTooSmall)?;
    require(product_at_most(squares, 1, largest, sum), Inconsistent::SquaresTooLarge)?;
    // t² and t are both odd or both even.
    require(sum % 2 == squares % 2, Inconsistent::Parity)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores 3 > 2 > 1 with the middle one negative: U = 1 of 2 pairs.
    const HALF: RankSums =
        RankSums { n_pos: 2, n_neg: 1, doubled_u: 2, pos_squares: 4, neg_squares: 4 };

    #[test]
    fn possible_sums_pass() {
        assert_eq!(HALF.check(), Ok(()));
        let empty = RankSums { n_pos: 5, n_neg: 0, doubled_u: 0, pos_squares: 0, neg_squares: 0 };
        assert_eq!(empty.check(), Ok(()));
    }

    #[test]
    fn each_impossible_change_is_named() {
        let cases = [
            (RankSums { doubled_u: 5, ..HALF }, Inconsistent::RankSumExceedsPairs),
            (RankSums { pos_squares: 1, ..HALF }, Inconsistent::SquaresTooSmall),
            (RankSums { pos_squares: 6, ..HALF }, Inconsistent::SquaresTooLarge),
            (RankSums { pos_squares: 3, ..HALF }, Inconsistent::Parity),
            (RankSums { neg_squares: 2, ..HALF }, Inconsistent::SquaresTooSmall),
            (RankSums { neg_squares: u128::MAX, ..HALF }, Inconsistent::SquaresTooLarge),
        ];
        for (sums, violated) in cases {
            assert_eq!(sums.check(), Err(violated), "{sums:?}");
        }
    }

    #[test]
    fn hostile_magnitudes_do_not_overflow() {
        let hostile = RankSums {
            n_pos: u64::MAX,
            n_neg: u64::MAX,
            doubled_u: u128::MAX,
            pos_squares: u128::MAX,
            neg_squares: u128::MAX,
        };
        assert!(hostile.check().is_err());
    }
}
