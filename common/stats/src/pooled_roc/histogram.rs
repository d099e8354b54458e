//! Counts of scores by class on a grid.

use crate::NotEstimable;
use crate::aggregate::RankSums;
use crate::auroc::{auc_of, delong};
use crate::count::count_to_f64;
use crate::grid::GridScore;

/// Cells of the grid that sites share.
pub const GRID_BINS: usize = 1024;

/// The largest step of a score, and so the ends of the grid: ±13.8155 in log-odds.
const LAST_STEP: i64 = 1_381_550;

/// The cell of a score on the shared grid: 0 at the lower end, 1,023 at the upper, between them 1,022 equal
/// steps of log-odds.
///
/// # Examples
///
/// ```
/// use fedval_stats::grid::GridScore;
/// use fedval_stats::pooled_roc::grid_bin;
/// use fedval_stats::scale::Logit;
///
/// assert_eq!(grid_bin(GridScore::from_logit(Logit::new(-20.0)?)), 0);
/// assert_eq!(grid_bin(GridScore::from_logit(Logit::new(0.0)?)), 512);
/// # Ok::<(), fedval_stats::scale::NotALogit>(())
/// ```
#[must_use]
pub fn grid_bin(score: GridScore) -> usize {
    let inner = GRID_BINS - 2;
    let steps = i64::from(score.steps());
    if steps <= -LAST_STEP {
        return 0;
    }
    if steps >= LAST_STEP {
        return GRID_BINS - 1;
    }
    let from_left = usize::try_from(steps + LAST_STEP).unwrap_or(0);
    let width = usize::try_from(2 * LAST_STEP).unwrap_or(usize::MAX);
    1 + from_left * inner / width
}

/// The score in the middle of a score's cell on the shared grid; the two ends stand for themselves.
///
/// Where terms round everything, scores are counted as these.
///
/// # Examples
///
/// ```
/// use fedval_stats::grid::GridScore;
/// use fedval_stats::pooled_roc::{cell_centre, grid_bin};
/// use fedval_stats::scale::Logit;
///
/// let score = GridScore::from_logit(Logit::new(0.3)?);
/// assert_eq!(grid_bin(cell_centre(score)), grid_bin(score));
/// assert_eq!(cell_centre(cell_centre(score)), cell_centre(score));
/// # Ok::<(), fedval_stats::scale::NotALogit>(())
/// ```
#[must_use]
pub fn cell_centre(score: GridScore) -> GridScore {
    let bin = i64::try_from(grid_bin(score)).unwrap_or(0);
    let inner = i64::try_from(GRID_BINS - 2).unwrap_or(1);
    let steps = if bin == 0 {
        -LAST_STEP
    } else if bin > inner {
        LAST_STEP
    } else {
        (2 * bin - 1) * LAST_STEP / inner - LAST_STEP
    };
    i32::try_from(steps).ok().and_then(GridScore::from_steps).unwrap_or(score)
}

/// More cases of a class are no cohort, and their sums of squares would have no room.
const MOST_CASES: u64 = 1 << 40;

/// Counts of positives and negatives in the same cells, from the lowest scores to the highest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreHistogram {
    pos: Vec<u64>,
    neg: Vec<u64>,
}

impl ScoreHistogram {
    /// Pairs the counts of both classes.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] for different numbers of cells, or more than 2⁴⁰ cases of a class.
    pub fn new(pos: Vec<u64>, neg: Vec<u64>) -> Result<Self, NotEstimable> {
        let is_cohort = total(&pos) <= MOST_CASES && total(&neg) <= MOST_CASES;
        if pos.len() == neg.len() && is_cohort {
            Ok(Self { pos, neg })
        } else {
            Err(NotEstimable::InvalidInput)
        }
    }

    /// Counts cases, each `(cell, positive)`; a cell beyond the last counts in the last.
    #[must_use]
    pub fn of(bins: usize, cases: impl IntoIterator<Item = (usize, bool)>) -> Self {
        let mut counts = Self { pos: vec![0; bins], neg: vec![0; bins] };
        for (bin, positive) in cases {
            let class = if positive { &mut counts.pos } else { &mut counts.neg };
            if let Some(count) = class.get_mut(bin.min(bins.saturating_sub(1))) {
                *count += 1;
            }
        }
        counts
    }

    /// The counts of two disjoint cohorts together.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where they have different numbers of cells, or together more than 2⁴⁰
    /// cases of a class.
    pub fn merge(mut self, other: &Self) -> Result<Self, NotEstimable> {
        if self.pos.len() != other.pos.len() {
            return Err(NotEstimable::InvalidInput);
        }
        let add = |sums: &mut Vec<u64>, counts: &Vec<u64>| {
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum = sum.saturating_add(*count);
            }
        };
        add(&mut self.pos, &other.pos);
        add(&mut self.neg, &other.neg);
        Self::new(self.pos, self.neg)
    }

    /// Positives and negatives of each cell, from the lowest scores.
    pub(super) fn cells(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> + '_ {
        self.pos.iter().copied().zip(self.neg.iter().copied())
    }

    /// DeLong's sums of the cases as if all in a cell were tied.
    #[must_use]
    pub fn rank_sums(&self) -> RankSums {
        let (n_pos, n_neg) = (total(&self.pos), total(&self.neg));
        let mut sums = RankSums { n_pos, n_neg, doubled_u: 0, pos_squares: 0, neg_squares: 0 };
        let (mut pos_below, mut neg_below) = (0_u128, 0_u128);
        for (&pos, &neg) in self.pos.iter().zip(&self.neg) {
            let (pos, neg) = (u128::from(pos), u128::from(neg));
            let of_pos = 2 * neg_below + neg;
            let of_neg = 2 * (u128::from(n_pos) - pos_below - pos) + pos;
            sums.doubled_u += pos * of_pos;
            sums.pos_squares += pos * of_pos * of_pos;
            sums.neg_squares += neg * of_neg * of_neg;
            pos_below += pos;
            neg_below += neg;
        }
        sums
    }
}

fn total(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count))
}

/// The area of binned scores, on the probability scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PooledAuroc {
    /// With pairs of one cell counting half.
    pub mid: f64,
    /// With every pair of one cell lost: no exact area is lower.
    pub lower_bound: f64,
    /// With every pair of one cell won: no exact area is higher.
    pub upper_bound: f64,
    /// DeLong's standard error of `mid`; [`NotEstimable::TooFewPerClass`] with one case of a class.
    pub se: Result<f64, NotEstimable>,
}

/// The AUROC of all cases of a histogram, with hard bounds `mid ∓ Σ h⁺h⁻ / (2 n⁺n⁻)`.
///
/// # Errors
///
/// Those of [`auc_of`].
///
/// # Examples
///
/// ```
/// use fedval_stats::pooled_roc::{ScoreHistogram, pooled_auroc};
///
/// let area = pooled_auroc(&ScoreHistogram::new(vec![1, 3, 6], vec![7, 2, 1])?)?;
/// assert!(area.lower_bound < area.mid && area.mid < area.upper_bound);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn pooled_auroc(histogram: &ScoreHistogram) -> Result<PooledAuroc, NotEstimable> {
    let sums = histogram.rank_sums();
    let mid = auc_of(&sums)?;
    let tied = histogram.pos.iter().zip(&histogram.neg);
    let tied = tied.fold(0.0, |sum, (p, n)| sum + count_to_f64(*p) * count_to_f64(*n));
    let half_width = tied / (2.0 * count_to_f64(sums.n_pos) * count_to_f64(sums.n_neg));
    Ok(PooledAuroc {
        mid,
        lower_bound: (mid - half_width).max(0.0),
        upper_bound: (mid + half_width).min(1.0),
        se: delong(&sums).map(|auroc| auroc.se),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{RankedCase, rank_sums};

    #[test]
    fn a_cell_is_a_tie() {
        let cases = [(0, false), (1, true), (1, false), (2, true), (2, true)];
        let ranked: Vec<RankedCase> = cases
            .iter()
            .map(|&(bin, positive)| RankedCase {
                rank_key: i64::try_from(bin).unwrap(),
                positive,
                cluster: 0,
            })
            .collect();
        assert_eq!(ScoreHistogram::of(3, cases).rank_sums(), rank_sums(&ranked).0);
    }

    #[test]
    fn the_grid_is_filled_from_end_to_end() {
        let bin = |steps: i32| grid_bin(GridScore::from_steps(steps).unwrap());
        assert_eq!((bin(-1_381_550), bin(-1_381_549)), (0, 1));
        assert_eq!((bin(1_381_549), bin(1_381_550)), (1022, 1023));
    }

    #[test]
    fn merging_needs_the_same_cells() {
        let two = ScoreHistogram::new(vec![1, 2], vec![3, 4]).unwrap();
        let three = ScoreHistogram::new(vec![1, 2, 3], vec![3, 4, 5]).unwrap();
        assert_eq!(two.clone().merge(&three), Err(NotEstimable::InvalidInput));
        assert_eq!(two.clone().merge(&two).unwrap().rank_sums().n_neg, 14);
        assert!(ScoreHistogram::new(vec![1], vec![]).is_err());
        assert_eq!(
            pooled_auroc(&ScoreHistogram::new(vec![], vec![]).unwrap()),
            Err(NotEstimable::EmptyInput)
        );
    }
}
