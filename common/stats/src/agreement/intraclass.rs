//! Intraclass correlations of measurements.
//!
//! From the two-way analysis of variance of n subjects by k readers, with mean squares between subjects
//! (MSR), between readers (MSC), of the residual (MSE) and within subjects (MSW):
//!
//! ```text
//! ICC(1,1) = (MSR − MSW) / (MSR + (k−1) MSW)
//! ICC(2,1) = (MSR − MSE) / (MSR + (k−1) MSE + k (MSC − MSE) / n)
//! ICC(3,1) = (MSR − MSE) / (MSR + (k−1) MSE)
//! ICC(2,k) = (MSR − MSE) / (MSR + (MSC − MSE) / n)
//! ```
//!
//! # References
//!
//! - P. E. Shrout, J. L. Fleiss (1979). Psychol. Bull. 86, 420–428.
//! - K. O. McGraw, S. P. Wong (1996). Psychol. Methods 1, 30–46 (the interval of ICC(A,1)).

use ndarray::{Array2, Axis};

use crate::NotEstimable;
use crate::count::{finite, len_to_f64};
use crate::interval::tail;
use crate::special::f;

/// Measurements of at least two subjects (rows) by at least two readers (columns), all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct RatingTable(Array2<f64>);

impl RatingTable {
    /// Accepts such a table.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] with fewer than two subjects or readers,
    /// [`NotEstimable::InvalidInput`] where a number is not finite.
    pub fn new(ratings: Array2<f64>) -> Result<Self, NotEstimable> {
        if ratings.nrows() < 2 || ratings.ncols() < 2 {
            return Err(NotEstimable::EmptyInput);
        }
        let all = ratings.iter().all(|rating| rating.is_finite());
        if all { Ok(Self(ratings)) } else { Err(NotEstimable::InvalidInput) }
    }

    fn mean_squares(&self) -> MeanSquares {
        let (n, k) = (len_to_f64(self.0.nrows()), len_to_f64(self.0.ncols()));
        let mean =
            |values: &[f64]| values.iter().fold(0.0, |sum, x| sum + x) / len_to_f64(values.len());
        let means = |axis: Axis| -> Vec<f64> {
            self.0.lanes(axis).into_iter().map(|lane| mean(&lane.to_vec())).collect()
        };
        let (subjects, readers) = (means(Axis(1)), means(Axis(0)));
        let grand = mean(&subjects);
        let squares =
            |values: &[f64]| values.iter().fold(0.0, |sum, x| sum + (x - grand) * (x - grand));
        let (mut residual, mut within) = (0.0, 0.0);
        for ((i, j), rating) in self.0.indexed_iter() {
            let rest = rating - subjects[i] - readers[j] + grand;
            residual += rest * rest;
            within += (rating - subjects[i]) * (rating - subjects[i]);
        }
        MeanSquares {
            n,
            k,
            subjects: k * squares(&subjects) / (n - 1.0),
            readers: n * squares(&readers) / (k - 1.0),
            residual: residual / ((n - 1.0) * (k - 1.0)),
            within: within / (n * (k - 1.0)),
        }
    }
}

struct MeanSquares {
    n: f64,
    k: f64,
    subjects: f64,
    readers: f64,
    residual: f64,
    within: f64,
}

/// Intraclass correlations: the share of variance that lies between subjects. May be negative.
///
/// Each has its own reason: [`NotEstimable::ZeroVariance`] where what it is a share of is 0, or, for limits,
/// where readers agree without any residual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Intraclass {
    /// ICC(1,1): each subject has readers of its own.
    pub one_way: Result<f64, NotEstimable>,
    /// ICC(2,1): the readers are a sample; a single reader's absolute agreement.
    pub agreement: Result<f64, NotEstimable>,
    /// Its lower confidence limit.
    pub agreement_lower: Result<f64, NotEstimable>,
    /// Its upper confidence limit.
    pub agreement_upper: Result<f64, NotEstimable>,
    /// ICC(3,1): these readers alone, consistency.
    pub consistency: Result<f64, NotEstimable>,
    /// ICC(2,k): absolute agreement of the mean of all readers.
    pub agreement_of_mean: Result<f64, NotEstimable>,
}

/// The intraclass correlations of a table of measurements.
///
/// # Errors
///
/// [`NotEstimable::LevelOutOfRange`]; each part may have a reason of its own.
///
/// # Examples
///
/// ```
/// use fedval_stats::agreement::{RatingTable, intraclass};
/// use ndarray::array;
///
/// // Shrout and Fleiss, table 2.
/// let table = array![
///     [9.0, 2.0, 5.0, 8.0], [6.0, 1.0, 3.0, 2.0], [8.0, 4.0, 6.0, 8.0],
///     [7.0, 1.0, 2.0, 6.0], [10.0, 5.0, 6.0, 9.0], [6.0, 2.0, 4.0, 7.0],
/// ];
/// let icc = intraclass(&RatingTable::new(table)?, 0.95)?;
/// assert!((icc.one_way? - 0.17).abs() < 5e-3 && (icc.agreement? - 0.29).abs() < 5e-3);
/// assert!((icc.consistency? - 0.71).abs() < 5e-3 && (icc.agreement_of_mean? - 0.62).abs() < 5e-3);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn intraclass(table: &RatingTable, level: f64) -> Result<Intraclass, NotEstimable> {
    let tail = tail(level)?;
    let ms = table.mean_squares();
    let MeanSquares { n, k, subjects, readers, residual, within } = ms;
    let share = |part: f64, whole: f64| {
        if whole.abs() > 0.0 { finite(part / whole) } else { Err(NotEstimable::ZeroVariance) }
    };
    let between_readers = (readers - residual) / n;
    let agreement =
        share(subjects - residual, subjects + (k - 1.0) * residual + k * between_readers);
    let limits = agreement.and_then(|agreement| limits(&ms, agreement, tail));
    Ok(Intraclass {
        one_way: share(subjects - within, subjects + (k - 1.0) * within),
        agreement,
        agreement_lower: limits.and_then(|(lower, _)| number(lower)),
        agreement_upper: limits.and_then(|(_, upper)| number(upper)),
        consistency: share(subjects - residual, subjects + (k - 1.0) * residual),
        agreement_of_mean: share(subjects - residual, subjects + between_readers),
    })
}

fn number(value: f64) -> Result<f64, NotEstimable> {
    if value.is_finite() { Ok(value) } else { Err(NotEstimable::ZeroVariance) }
}

/// McGraw and Wong's limits of ICC(A,1), with Satterthwaite's degrees of freedom; not finite where a limit
/// does not exist.
fn limits(ms: &MeanSquares, icc: f64, tail: f64) -> Result<(f64, f64), NotEstimable> {
    let MeanSquares { n, k, subjects, readers, residual, .. } = *ms;
    if icc >= 1.0 {
        return Err(NotEstimable::ZeroVariance);
    }
    let a = k * icc / (n * (1.0 - icc));
    let b = 1.0 + k * icc * (n - 1.0) / (n * (1.0 - icc));
    let (of_readers, of_residual) = (a * readers, b * residual);
    let df = (of_readers + of_residual) * (of_readers + of_residual)
        / (of_readers * of_readers / (k - 1.0)
            + of_residual * of_residual / ((n - 1.0) * (k - 1.0)));
    if !(df.is_finite() && df > 0.0) {
        return Err(NotEstimable::ZeroVariance);
    }
    let (low, high) = (f::upper_quantile(tail, n - 1.0, df), f::upper_quantile(tail, df, n - 1.0));
    let rest = k * readers + (k * n - k - n) * residual;
    let lower = n * (subjects - low * residual) / (low * rest + n * subjects);
    let upper = n * (high * subjects - residual) / (rest + n * high * subjects);
    Ok((lower, upper))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn what_does_not_vary_has_no_correlation() {
        let constant = RatingTable::new(Array2::from_elem((4, 2), 3.5)).unwrap();
        let icc = intraclass(&constant, 0.95).unwrap();
        assert_eq!((icc.one_way, icc.agreement), (Err(NotEstimable::ZeroVariance), icc.one_way));
    }

    #[test]
    fn perfect_agreement_has_no_limits() {
        let equal = RatingTable::new(array![[1.0, 1.0], [2.0, 2.0], [5.0, 5.0]]).unwrap();
        let icc = intraclass(&equal, 0.95).unwrap();
        assert!((icc.agreement.unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(icc.agreement_lower, Err(NotEstimable::ZeroVariance));
    }

    #[test]
    fn too_few_or_infinite_measurements_are_refused() {
        assert_eq!(RatingTable::new(array![[1.0, 2.0]]), Err(NotEstimable::EmptyInput));
        assert_eq!(RatingTable::new(array![[1.0], [2.0]]), Err(NotEstimable::EmptyInput));
        let infinite = RatingTable::new(array![[1.0, 2.0], [f64::NAN, 2.0]]);
        assert_eq!(infinite, Err(NotEstimable::InvalidInput));
    }
}
