//! Average precision.

use crate::NotEstimable;
use crate::aggregate::RankedCase;
use crate::count::{count_to_f64, len_to_f64};

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
    let (mut found, mut called, mut sum) = (0, 0.0, 0.0);
    for ties in sorted.chunk_by(|a, b| a.rank_key == b.rank_key) {
        let new = count(ties);
        found += new;
        called += len_to_f64(ties.len());
        sum += count_to_f64(new) * count_to_f64(found) / called;
    }
    Ok(sum / count_to_f64(n_pos))
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
    }
}
