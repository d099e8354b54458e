//! The ratio estimator's sums: what a site sends for a mean or proportion of clustered cases.

use super::inconsistent::{Inconsistent, require};
use crate::wide::product_at_most;

/// Sums over clusters (patients) k of their size `m_k` and their total `x_k`.
///
/// For sensitivity x counts true positives among the positives, for specificity true negatives
/// among the negatives; for the Brier score x is a squared error in units of 10⁻¹².
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ClusterSums {
    /// Number of clusters.
    pub clusters: u64,
    /// `Σ m_k`, the number of cases.
    pub size: u64,
    /// `Σ x_k`.
    pub total: u128,
    /// `Σ x_k²`.
    pub total_squares: u128,
    /// `Σ x_k m_k`.
    pub total_by_size: u128,
    /// `Σ m_k²`.
    pub size_squares: u64,
}

impl ClusterSums {
    /// Tests the relations that hold for any non-negative integers `x`.
    ///
    /// # Errors
    ///
    /// The first relation of [`Inconsistent`] that is violated.
    pub fn check(&self) -> Result<(), Inconsistent> {
        let (clusters, size) = (u128::from(self.clusters), u128::from(self.size));
        let size_squares = u128::from(self.size_squares);
        require(clusters <= size, Inconsistent::PartExceedsWhole)?;
        let empty = [size, self.total, self.total_squares, self.total_by_size, size_squares];
        require(clusters > 0 || empty.iter().all(|&sum| sum == 0), Inconsistent::SumOverNothing)?;
        let squares_reach = size_squares >= size
            && product_at_most(size, size, clusters, size_squares)
            && self.total_squares >= self.total
            && product_at_most(self.total, self.total, clusters, self.total_squares);
        require(squares_reach, Inconsistent::SquaresTooSmall)?;
        let squares_fit = product_at_most(size_squares, 1, size, size)
            && product_at_most(self.total_squares, 1, self.total, self.total);
        require(squares_fit, Inconsistent::SquaresTooLarge)?;
        require(self.total_by_size >= self.total, Inconsistent::ProductsTooSmall)?;
        let (product, a, b) = (self.total_by_size, self.total_squares, size_squares);
        require(product_at_most(product, product, a, b), Inconsistent::ProductsTooLarge)?;
        require(
            self.total % 2 == self.total_squares % 2 && self.size % 2 == self.size_squares % 2,
            Inconsistent::Parity,
        )
    }

    /// Tests, beyond [`check`](Self::check), that no case can have contributed more than
    /// `largest`: 1 for a proportion, 10¹² for a Brier score.
    ///
    /// # Errors
    ///
    /// The first relation of [`Inconsistent`] that is violated.
    pub fn check_bounded(&self, largest: u64) -> Result<(), Inconsistent> {
        self.check()?;
        let largest = u128::from(largest);
        require(
            product_at_most(self.total, 1, largest, u128::from(self.size)),
            Inconsistent::PartExceedsWhole,
        )?;
        require(
            product_at_most(self.total_squares, 1, largest, self.total_by_size),
            Inconsistent::SquaresTooLarge,
        )?;
        require(
            product_at_most(self.total_by_size, 1, largest, u128::from(self.size_squares)),
            Inconsistent::ProductsTooLarge,
        )
    }

    /// The sums of two cohorts without a common cluster (saturating, so that merging stays
    /// associative whatever a site sends).
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            clusters: self.clusters.saturating_add(other.clusters),
            size: self.size.saturating_add(other.size),
            total: self.total.saturating_add(other.total),
            total_squares: self.total_squares.saturating_add(other.total_squares),
            total_by_size: self.total_by_size.saturating_add(other.total_by_size),
            size_squares: self.size_squares.saturating_add(other.size_squares),
        }
    }
}

/// Reduces cases, each `(cluster, x)`, to the sums of their clusters.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::cluster_sums;
///
/// // One patient with two images, one of them called; one patient with one image, called.
/// let sums = cluster_sums([(0, 1), (0, 0), (1, 1)]);
/// assert_eq!((sums.clusters, sums.size, sums.total), (2, 3, 2));
/// ```
#[must_use]
pub fn cluster_sums(rows: impl IntoIterator<Item = (u32, u64)>) -> ClusterSums {
    // Sorted and not in a tree, which takes four times as much of a million cases.
    let mut rows: Vec<(u32, u64)> = rows.into_iter().collect();
    if !rows.is_sorted_by_key(|(cluster, _)| *cluster) {
        rows.sort_unstable_by_key(|(cluster, _)| *cluster);
    }
    rows.chunk_by(|a, b| a.0 == b.0)
        .map(of_cluster)
        .fold(ClusterSums::default(), ClusterSums::merge)
}

/// The sums of one cluster's cases.
fn of_cluster(rows: &[(u32, u64)]) -> ClusterSums {
    let size = rows.len() as u64;
    let total: u128 = rows.iter().map(|(_, x)| u128::from(*x)).sum();
    ClusterSums {
        clusters: 1,
        size,
        total,
        total_squares: total.saturating_mul(total),
        total_by_size: total.saturating_mul(u128::from(size)),
        size_squares: size.saturating_mul(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Patients with (m, x) = (2, 1) and (1, 1).
    const GOOD: ClusterSums = ClusterSums {
        clusters: 2,
        size: 3,
        total: 2,
        total_squares: 2,
        total_by_size: 3,
        size_squares: 5,
    };

    #[test]
    fn possible_sums_pass() {
        assert_eq!(GOOD.check_bounded(1), Ok(()));
        assert_eq!(ClusterSums::default().check_bounded(1), Ok(()));
    }

    #[test]
    fn impossible_sums_are_named() {
        let cases = [
            (ClusterSums { clusters: 4, ..GOOD }, Inconsistent::PartExceedsWhole),
            (ClusterSums { clusters: 0, ..GOOD }, Inconsistent::SumOverNothing),
            (ClusterSums { size_squares: 3, ..GOOD }, Inconsistent::SquaresTooSmall),
            (ClusterSums { size_squares: 11, ..GOOD }, Inconsistent::SquaresTooLarge),
            (ClusterSums { total_squares: 6, ..GOOD }, Inconsistent::SquaresTooLarge),
            (ClusterSums { total_by_size: 1, ..GOOD }, Inconsistent::ProductsTooSmall),
            (ClusterSums { total_by_size: 4, ..GOOD }, Inconsistent::ProductsTooLarge),
            (ClusterSums { size_squares: 6, ..GOOD }, Inconsistent::Parity),
        ];
        for (sums, violated) in cases {
            assert_eq!(sums.check(), Err(violated), "{sums:?}");
        }
    }

    #[test]
    fn more_than_one_success_a_case_is_refused() {
        let sums = cluster_sums([(0, 2), (1, 2)]);
        assert_eq!(sums.check(), Ok(()));
        assert_eq!(sums.check_bounded(1), Err(Inconsistent::PartExceedsWhole));
    }
}
