//! DeLong's sums of several index tests on the same cases.

use ndarray::Array2;

use super::RankSums;
use super::inconsistent::{Inconsistent, require};

/// Sums of products of the doubled placements of J index tests on one cohort: what their AUROCs and the
/// covariance of these need.
///
/// `d_ij` and `e_ij` are the doubled placements of [`RankSums`], of case i by index test j. The diagonals of
/// the tables are the sums of squares of a [`RankSums`]. Not mergeable, as those are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JointRankSums {
    /// Positive cases.
    pub n_pos: u64,
    /// Negative cases.
    pub n_neg: u64,
    /// `Σ_i d_ij`, for each index test.
    pub doubled_u: Vec<u128>,
    /// `Σ_i d_ij d_ik`, J × J.
    pub pos_products: Array2<u128>,
    /// `Σ_i e_ij e_ik`, J × J.
    pub neg_products: Array2<u128>,
}

impl JointRankSums {
    /// The number of index tests.
    #[must_use]
    pub fn index_tests(&self) -> usize {
        self.doubled_u.len()
    }

    /// The sums of one index test alone; `None` where there is no such.
    #[must_use]
    pub fn of_one(&self, index_test: usize) -> Option<RankSums> {
        Some(RankSums {
            n_pos: self.n_pos,
            n_neg: self.n_neg,
            doubled_u: *self.doubled_u.get(index_test)?,
            pos_squares: *self.pos_products.get((index_test, index_test))?,
            neg_squares: *self.neg_products.get((index_test, index_test))?,
        })
    }

    /// Tests that the tables are square and symmetric, that each index test's sums pass
    /// [`RankSums::check`], and that no product exceeds what Cauchy–Schwarz allows.
    ///
    /// # Errors
    ///
    /// The first relation of [`Inconsistent`] that is violated.
    pub fn check(&self) -> Result<(), Inconsistent> {
        let tests = self.index_tests();
        for table in [&self.pos_products, &self.neg_products] {
            require(table.dim() == (tests, tests), Inconsistent::Disagreement)?;
            for ((j, k), product) in table.indexed_iter() {
                require(*product == table[[k, j]], Inconsistent::Disagreement)?;
                let bound =
                    crate::wide::product_at_most(*product, *product, table[[j, j]], table[[k, k]]);
                require(bound, Inconsistent::ProductsTooLarge)?;
            }
        }
        (0..tests).filter_map(|test| self.of_one(test)).try_for_each(|sums| sums.check())
    }
}

/// Reduces the scores of several index tests on the same cases to their joint sums. Each list holds the
/// scores of one index test as integer keys, in the order of `positive`.
///
/// # Errors
///
/// [`Inconsistent::Disagreement`] where a list has another length than `positive`.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::joint_rank_sums;
///
/// let positive = [true, true, false];
/// let sums = joint_rank_sums(&[vec![3, 2, 1], vec![1, 3, 2]], &positive)?;
/// assert_eq!(sums.doubled_u, [4, 2]);
/// assert_eq!(sums.pos_products[[0, 1]], 4);
/// # Ok::<(), fedval_stats::aggregate::Inconsistent>(())
/// ```
pub fn joint_rank_sums(
    rank_keys: &[Vec<i64>],
    positive: &[bool],
) -> Result<JointRankSums, Inconsistent> {
    let matches = rank_keys.iter().all(|keys| keys.len() == positive.len());
    require(matches, Inconsistent::Disagreement)?;
    let placements: Vec<Vec<u64>> =
        rank_keys.iter().map(|keys| doubled_placements(keys, positive)).collect();
    let tests = rank_keys.len();
    let products = |class: bool| {
        Array2::from_shape_fn((tests, tests), |(j, k)| {
            let pairs = placements[j].iter().zip(&placements[k]).zip(positive);
            pairs
                .filter(|(_, is_positive)| **is_positive == class)
                .map(|((a, b), _)| u128::from(*a) * u128::from(*b))
                .sum::<u128>()
        })
    };
    let n_pos = positive.iter().map(|&is_positive| u64::from(is_positive)).sum();
    Ok(JointRankSums {
        n_pos,
        n_neg: positive.len() as u64 - n_pos,
        doubled_u: placements.iter().map(|of_test| sum_of(of_test, positive)).collect(),
        pos_products: products(true),
        neg_products: products(false),
    })
}

/// `Σ d` over the positives.
fn sum_of(placements: &[u64], positive: &[bool]) -> u128 {
    let own = placements.iter().zip(positive).filter(|(_, is_positive)| **is_positive);
    own.map(|(placement, _)| u128::from(*placement)).sum()
}

/// The doubled placement of every case: of a positive among the negatives below it, of a negative among
/// the positives above it.
pub(crate) fn doubled_placements(rank_keys: &[i64], positive: &[bool]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..rank_keys.len()).collect();
    order.sort_unstable_by_key(|&case| rank_keys[case]);
    let count = |cases: &[usize]| cases.iter().map(|&case| u64::from(positive[case])).sum::<u64>();
    let n_pos = count(&order);
    let mut placements = vec![0; rank_keys.len()];
    let (mut pos_below, mut neg_below) = (0, 0);
    for ties in order.chunk_by(|a, b| rank_keys[*a] == rank_keys[*b]) {
        let pos_tied = count(ties);
        let neg_tied = ties.len() as u64 - pos_tied;
        for &case in ties {
            placements[case] = if positive[case] {
                2 * neg_below + neg_tied
            } else {
                2 * (n_pos - pos_below - pos_tied) + pos_tied
            };
        }
        pos_below += pos_tied;
        neg_below += neg_tied;
    }
    placements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{RankedCase, rank_sums};

    #[test]
    fn each_index_test_alone_has_the_sums_of_one() {
        let positive = [true, false, true, false, false];
        let keys = [vec![5, 5, 9, 1, 3], vec![2, 7, 7, 7, 0]];
        let joint = joint_rank_sums(&keys, &positive).unwrap();
        assert_eq!(joint.check(), Ok(()));
        for (test, keys) in keys.iter().enumerate() {
            let cases: Vec<RankedCase> = keys
                .iter()
                .zip(positive)
                .zip(0..)
                .map(|((&rank_key, positive), cluster)| RankedCase { rank_key, positive, cluster })
                .collect();
            assert_eq!(joint.of_one(test), Some(rank_sums(&cases).0));
        }
        assert_eq!(joint.of_one(2), None);
    }

    #[test]
    fn impossible_tables_are_named() {
        let good = joint_rank_sums(&[vec![2, 1], vec![2, 1]], &[true, false]).unwrap();
        let mut asymmetric = good.clone();
        asymmetric.pos_products[[0, 1]] += 1;
        assert_eq!(asymmetric.check(), Err(Inconsistent::Disagreement));
        let mut large = good.clone();
        large.pos_products[[0, 1]] += 1;
        large.pos_products[[1, 0]] += 1;
        assert_eq!(large.check(), Err(Inconsistent::ProductsTooLarge));
        let mut short = good;
        short.doubled_u.pop();
        assert_eq!(short.check(), Err(Inconsistent::Disagreement));
        let unequal = joint_rank_sums(&[vec![2]], &[true, false]);
        assert_eq!(unequal, Err(Inconsistent::Disagreement));
    }
}
