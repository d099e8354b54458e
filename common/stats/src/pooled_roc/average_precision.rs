//! Average precision.

use super::ScoreHistogram;
use crate::NotEstimable;
use crate::aggregate::RankedCase;
use crate::count::count_to_f64;

/// The average precision `Σ (R_i − R_{i−1}) P_i` over distinct scores from the highest down, with recall R
/// and precision P of calling everything at or above: no interpolation.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases, [`NotEstimable::OneClassOnly`] without positives.
///
/// # References
///
/// - M. Zhu (2004). Recall, precision and average precision. University of Waterloo, working paper 2004-09.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::RankedCase;
/// use fedval_stats::pooled_roc::average_precision;
///
/// let case = |rank_key, positive| RankedCase { rank_key, positive, cluster: 0 };
/// let ap = average_precision(&[case(3, true), case(2, false), case(1, true)])?;
/// assert!((ap - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn average_precision(cases: &[RankedCase]) -> Result<f64, NotEstimable> {
    if cases.is_empty() {
        return Err(NotEstimable::EmptyInput);
    }
    let count =
        |cases: &[RankedCase]| cases.iter().map(|case| u64::from(case.positive)).sum::<u64>();
    let n_pos = count(cases);
    if n_pos == 0 {
        return Err(NotEstimable::OneClassOnly);
    }
    let mut sorted = cases.to_vec();
    sorted.sort_unstable_by_key(|case| std::cmp::Reverse(case.rank_key));
    let ties = sorted.chunk_by(|a, b| a.rank_key == b.rank_key);
    Ok(from_the_highest(ties.map(|ties| (count(ties), ties.len() as u64)), n_pos))
}

/// The average precision of all cases of a histogram, those of a cell tied.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases, [`NotEstimable::OneClassOnly`] without positives.
///
/// # Examples
///
/// ```
/// use fedval_stats::pooled_roc::{ScoreHistogram, pooled_average_precision};
///
/// let histogram = ScoreHistogram::new(vec![1, 0, 1], vec![0, 1, 0])?;
/// let ap = pooled_average_precision(&histogram)?;
/// assert!((ap - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn pooled_average_precision(histogram: &ScoreHistogram) -> Result<f64, NotEstimable> {
    let sums = histogram.rank_sums();
    match (sums.n_pos, sums.n_neg) {
        (0, 0) => Err(NotEstimable::EmptyInput),
        (0, _) => Err(NotEstimable::OneClassOnly),
        (n_pos, _) => {
            let filled = histogram.cells().rev().filter(|(pos, neg)| pos + neg > 0);
            Ok(from_the_highest(filled.map(|(pos, neg)| (pos, pos + neg)), n_pos))
        }
    }
}

/// From groups of tied cases, the highest first: positives, and all.
fn from_the_highest(groups: impl Iterator<Item = (u64, u64)>, n_pos: u64) -> f64 {
    let (mut found, mut called, mut sum) = (0, 0, 0.0);
    for (pos, all) in groups {
        found += pos;
        called += all;
        sum += count_to_f64(pos) * count_to_f64(found) / count_to_f64(called);
    }
    sum / count_to_f64(n_pos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(rank_key: i64, positive: bool) -> RankedCase {
        RankedCase { rank_key, positive, cluster: 0 }
    }

    #[test]
    fn all_tied_is_the_prevalence_and_no_positive_is_a_reason() {
        let tied = [case(1, true), case(1, false), case(1, false), case(1, false)];
        assert!((average_precision(&tied).unwrap() - 0.25).abs() < 1e-15);
        assert_eq!(average_precision(&[case(1, false)]), Err(NotEstimable::OneClassOnly));
        assert_eq!(average_precision(&[]), Err(NotEstimable::EmptyInput));
        let none = |pos, neg| pooled_average_precision(&ScoreHistogram::new(pos, neg).unwrap());
        assert_eq!(none(vec![0], vec![0]), Err(NotEstimable::EmptyInput));
        assert_eq!(none(vec![0], vec![3]), Err(NotEstimable::OneClassOnly));
    }
}
