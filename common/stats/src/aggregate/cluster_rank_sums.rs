//! Obuchowski's sums: what a site sends beside [`RankSums`] when a patient has several images.

use super::RankSums;
use super::inconsistent::{Inconsistent, require};
use crate::wide::product_at_most;

/// Sums over clusters (patients) of the doubled placements of [`RankSums`].
///
/// In cluster k stand `m_k` positives with placement total `D_k = Σ d_i` and `n_k` negatives with
/// placement total `E_k = Σ e_j`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClusterRankSums {
    /// Clusters with at least one case.
    pub clusters: u64,
    /// Clusters with at least one positive case.
    pub clusters_pos: u64,
    /// Clusters with at least one negative case.
    pub clusters_neg: u64,
    /// `Σ D_k²`.
    pub pos_squares: u128,
    /// `Σ D_k m_k`.
    pub pos_by_size: u128,
    /// `Σ m_k²`.
    pub pos_size_squares: u64,
    /// `Σ E_k²`.
    pub neg_squares: u128,
    /// `Σ E_k n_k`.
    pub neg_by_size: u128,
    /// `Σ n_k²`.
    pub neg_size_squares: u64,
    /// `Σ D_k E_k`.
    pub cross: u128,
    /// `Σ D_k n_k`.
    pub pos_by_neg_size: u128,
    /// `Σ E_k m_k`.
    pub neg_by_pos_size: u128,
    /// `Σ m_k n_k`.
    pub size_cross: u64,
}

impl ClusterRankSums {
    /// Tests the relations that hold for any data, without the matching [`RankSums`].
    ///
    /// # Errors
    ///
    /// The first relation of [`Inconsistent`] that is violated.
    pub fn check(&self) -> Result<(), Inconsistent> {
        let both =
            self.clusters_pos.checked_add(self.clusters_neg).ok_or(Inconsistent::Overflow)?;
        let parts_fit = self.clusters_pos <= self.clusters && self.clusters_neg <= self.clusters;
        require(parts_fit && both >= self.clusters, Inconsistent::PartExceedsWhole)?;
        require(
            self.clusters_pos <= self.pos_size_squares
                && self.clusters_neg <= self.neg_size_squares,
            Inconsistent::SquaresTooSmall,
        )?;
        let none_is_mixed = both == self.clusters;
        let mixed_sums =
            [self.cross, self.pos_by_neg_size, self.neg_by_pos_size, u128::from(self.size_cross)];
        require(
            !none_is_mixed || mixed_sums.iter().all(|&sum| sum == 0),
            Inconsistent::SumOverNothing,
        )?;
        self.check_cauchy_schwarz()
    }

    /// `(Σ ab)² <= Σa² · Σb²` for every product that is summed.
    fn check_cauchy_schwarz(&self) -> Result<(), Inconsistent> {
        let (pos_sizes, neg_sizes) =
            (u128::from(self.pos_size_squares), u128::from(self.neg_size_squares));
        let products = [
            (self.pos_by_size, self.pos_squares, pos_sizes),
            (self.neg_by_size, self.neg_squares, neg_sizes),
            (self.cross, self.pos_squares, self.neg_squares),
            (self.pos_by_neg_size, self.pos_squares, neg_sizes),
            (self.neg_by_pos_size, self.neg_squares, pos_sizes),
            (u128::from(self.size_cross), pos_sizes, neg_sizes),
        ];
        let holds = products.iter().all(|&(ab, aa, bb)| product_at_most(ab, ab, aa, bb));
        require(holds, Inconsistent::ProductsTooLarge)
    }

    /// Tests, beyond [`check`](Self::check), that the sums can come from the cohort of `ranks`.
    ///
    /// # Errors
    ///
    /// The first relation of [`Inconsistent`] that is violated.
    pub fn check_against(&self, ranks: &RankSums) -> Result<(), Inconsistent> {
        ranks.check()?;
        self.check()?;
        self.positives(ranks).check()?;
        self.negatives(ranks).check()?;
        let (pos_cap, neg_cap) = (2 * u128::from(ranks.n_neg), 2 * u128::from(ranks.n_pos));
        // A placement total is at most the cap times the cluster's size, in every product.
        let holds = product_at_most(self.cross, 1, pos_cap, self.neg_by_pos_size)
            && product_at_most(self.cross, 1, neg_cap, self.pos_by_neg_size)
            && product_at_most(self.pos_by_neg_size, 1, pos_cap, u128::from(self.size_cross))
            && product_at_most(self.neg_by_pos_size, 1, neg_cap, u128::from(self.size_cross));
        require(holds, Inconsistent::ProductsTooLarge)
    }

    fn positives(&self, ranks: &RankSums) -> OneClass {
        OneClass {
            cases: u128::from(ranks.n_pos),
            clusters: u128::from(self.clusters_pos),
            total: ranks.doubled_u,
            case_squares: ranks.pos_squares,
            largest: 2 * u128::from(ranks.n_neg),
            squares: self.pos_squares,
            by_size: self.pos_by_size,
            size_squares: u128::from(self.pos_size_squares),
        }
    }

    fn negatives(&self, ranks: &RankSums) -> OneClass {
        OneClass {
            cases: u128::from(ranks.n_neg),
            clusters: u128::from(self.clusters_neg),
            total: ranks.doubled_u,
            case_squares: ranks.neg_squares,
            largest: 2 * u128::from(ranks.n_pos),
            squares: self.neg_squares,
            by_size: self.neg_by_size,
            size_squares: u128::from(self.neg_size_squares),
        }
    }
}

/// The sums of one class, by their role: both classes obey the same relations.
struct OneClass {
    cases: u128,
    clusters: u128,
    total: u128,
    case_squares: u128,
    largest: u128,
    squares: u128,
    by_size: u128,
    size_squares: u128,
}

impl OneClass {
    fn check(&self) -> Result<(), Inconsistent> {
        require(self.clusters <= self.cases, Inconsistent::PartExceedsWhole)?;
        require((self.clusters == 0) == (self.cases == 0), Inconsistent::Disagreement)?;
        let squares_reach = self.squares >= self.case_squares
            && product_at_most(self.total, self.total, self.clusters, self.squares)
            && self.size_squares >= self.cases
            && product_at_most(self.cases, self.cases, self.clusters, self.size_squares);
        require(squares_reach, Inconsistent::SquaresTooSmall)?;
        let squares_fit = product_at_most(self.squares, 1, self.largest, self.by_size)
            && product_at_most(self.squares, 1, self.total, self.total)
            && product_at_most(self.size_squares, 1, self.cases, self.cases);
        require(squares_fit, Inconsistent::SquaresTooLarge)?;
        // Every cluster that contributes has a size of at least 1.
        require(self.by_size >= self.total, Inconsistent::ProductsTooSmall)?;
        require(
            product_at_most(self.by_size, 1, self.largest, self.size_squares),
            Inconsistent::ProductsTooLarge,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two patients with one positive and one negative each, all four concordant: D = E = (4, 4)
    /// with n_pos = n_neg = 2.
    fn concordant() -> (RankSums, ClusterRankSums) {
        let ranks = RankSums { n_pos: 2, n_neg: 2, doubled_u: 8, pos_squares: 32, neg_squares: 32 };
        let clusters = ClusterRankSums {
            clusters: 2,
            clusters_pos: 2,
            clusters_neg: 2,
            pos_squares: 32,
            pos_by_size: 8,
            pos_size_squares: 2,
            neg_squares: 32,
            neg_by_size: 8,
            neg_size_squares: 2,
            cross: 32,
            pos_by_neg_size: 8,
            neg_by_pos_size: 8,
            size_cross: 2,
        };
        (ranks, clusters)
    }

    #[test]
    fn possible_sums_pass() {
        let (ranks, clusters) = concordant();
        assert_eq!(clusters.check_against(&ranks), Ok(()));
    }

    #[test]
    fn impossible_sums_are_named() {
        let (_, good) = concordant();
        let cases = [
            (ClusterRankSums { clusters_pos: 3, ..good }, Inconsistent::PartExceedsWhole),
            (ClusterRankSums { clusters: 5, ..good }, Inconsistent::PartExceedsWhole),
            (ClusterRankSums { pos_size_squares: 1, ..good }, Inconsistent::SquaresTooSmall),
            (ClusterRankSums { cross: 33, ..good }, Inconsistent::ProductsTooLarge),
            (ClusterRankSums { pos_by_size: 9, ..good }, Inconsistent::ProductsTooLarge),
            (ClusterRankSums { size_cross: 3, ..good }, Inconsistent::ProductsTooLarge),
            (ClusterRankSums { clusters: 4, ..good }, Inconsistent::SumOverNothing),
        ];
        for (sums, violated) in cases {
            assert_eq!(sums.check(), Err(violated), "{sums:?}");
        }
    }

    #[test]
    fn sums_of_another_cohort_are_refused() {
        let (ranks, good) = concordant();
        let fewer = ClusterRankSums { pos_squares: 30, ..good };
        assert!(fewer.check_against(&ranks).is_err());
        let other = RankSums { n_pos: 3, ..ranks };
        assert!(good.check_against(&other).is_err());
    }
}
