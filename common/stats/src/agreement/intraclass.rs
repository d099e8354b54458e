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

use ndarray::Array2;

use crate::NotEstimable;
use crate::aggregate::{STEPS, Wide, steps};
use crate::count::{count_to_f64, finite};
use crate::interval::tail;
use crate::special::f;

/// Sums of measurements of subjects by the same readers, on a grid of 10⁻¹⁰: the sites' add up to those of
/// all, exactly and in every order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasurementSums {
    /// Subjects.
    pub subjects: u64,
    /// `Σx` of each reader, in 10⁻¹⁰.
    pub of_reader: Vec<i128>,
    /// `Σx²`, in 10⁻²⁰.
    pub squares: Wide,
    /// The squares of each subject's sum, summed, in 10⁻²⁰.
    pub subject_squares: Wide,
}

impl MeasurementSums {
    /// Sums the measurements of subjects (rows) by readers (columns).
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] with fewer than two readers; [`NotEstimable::InvalidInput`] where a number
    /// is not finite or beyond ±10¹².
    pub fn of(ratings: &Array2<f64>) -> Result<Self, NotEstimable> {
        let readers = ratings.ncols();
        if readers < 2 {
            return Err(NotEstimable::EmptyInput);
        }
        let (squares, subject_squares) = (Wide::default(), Wide::default());
        let none = Self { subjects: 0, of_reader: vec![0; readers], squares, subject_squares };
        ratings.rows().into_iter().try_fold(none, |sums, subject| {
            let of_reader = subject.iter().map(|x| steps(*x)).collect::<Result<Vec<i128>, _>>()?;
            let each = of_reader.iter().map(|x| square(*x));
            let squares =
                each.fold(Wide::default(), |sum, x| sum.checked_add(x).unwrap_or(Wide::MAX));
            let subject_squares = square(of_reader.iter().sum());
            sums.merge(&Self { subjects: 1, of_reader, squares, subject_squares })
        })
    }

    /// The sums of two disjoint groups of subjects together (saturating).
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where they have different numbers of readers.
    pub fn merge(mut self, other: &Self) -> Result<Self, NotEstimable> {
        if self.of_reader.len() != other.of_reader.len() {
            return Err(NotEstimable::InvalidInput);
        }
        self.subjects = self.subjects.saturating_add(other.subjects);
        for (sum, more) in self.of_reader.iter_mut().zip(&other.of_reader) {
            *sum = sum.saturating_add(*more);
        }
        self.squares = self.squares.checked_add(other.squares).unwrap_or(Wide::MAX);
        let subject_squares = self.subject_squares.checked_add(other.subject_squares);
        self.subject_squares = subject_squares.unwrap_or(Wide::MAX);
        Ok(self)
    }

    /// Differences of sums of squares are formed exactly and rounded once; `None` where they have no room.
    fn mean_squares(&self) -> Option<MeanSquares> {
        let (subjects, readers) = (self.subjects, self.of_reader.len() as u64);
        let (n, k) = (count_to_f64(subjects), count_to_f64(readers));
        let total = self.of_reader.iter().try_fold(0_i128, |sum, of| sum.checked_add(*of))?;
        let whole = square(total);
        let mut each = self.of_reader.iter().map(|of| square(*of));
        let by_reader = each.try_fold(Wide::default(), Wide::checked_add)?;
        let by_reader = by_reader.checked_mul(readers)?;
        let by_subject = self.subject_squares.checked_mul(subjects)?;
        let all = self.squares.checked_mul(subjects.checked_mul(readers)?)?;
        let unit = n * k * STEPS * STEPS;
        let apart = self.squares.checked_mul(readers)?.difference(self.subject_squares);
        let rest = all.checked_add(whole)?.difference(by_subject.checked_add(by_reader)?);
        Some(MeanSquares {
            n,
            k,
            subjects: by_subject.difference(whole) / unit / (n - 1.0),
            readers: by_reader.difference(whole) / unit / (k - 1.0),
            residual: rest / unit / ((n - 1.0) * (k - 1.0)),
            within: apart / (k * STEPS * STEPS) / (n * (k - 1.0)),
        })
    }
}

fn square(steps: i128) -> Wide {
    Wide::product(steps.unsigned_abs(), steps.unsigned_abs())
}

/// What two readers' measurements of the same subjects come down to, where single ones and exact sums are not told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReaderMoments {
    /// Subjects.
    pub subjects: u64,
    /// Mean of first minus second, in the measurements' unit.
    pub bias: f64,
    /// Standard deviation of first minus second, with n − 1.
    pub sd_of_differences: f64,
    /// Standard deviation of the middle between both, with n − 1.
    pub sd_of_middles: f64,
}

impl ReaderMoments {
    /// Of two readers, differences and middles carry all of the analysis of variance.
    fn mean_squares(&self) -> Option<MeanSquares> {
        let n = count_to_f64(self.subjects);
        let (bias, differences) = (self.bias * self.bias, self.sd_of_differences.powi(2));
        let ms = MeanSquares {
            n,
            k: 2.0,
            subjects: 2.0 * self.sd_of_middles.powi(2),
            readers: n * bias / 2.0,
            residual: differences / 2.0,
            within: ((n - 1.0) * differences + n * bias) / (2.0 * n),
        };
        let all = [ms.subjects, ms.readers, ms.residual, ms.within];
        let is_sound = self.sd_of_differences >= 0.0 && self.sd_of_middles >= 0.0;
        (is_sound && all.iter().all(|square| square.is_finite())).then_some(ms)
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

/// The intraclass correlations of measurements.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] with fewer than two subjects; [`NotEstimable::InvalidInput`] where no
/// measurements have such sums, or they had no room; [`NotEstimable::LevelOutOfRange`]. Each part may have a
/// reason of its own.
///
/// # Examples
///
/// ```
/// use fedval_stats::agreement::{MeasurementSums, intraclass};
/// use ndarray::array;
///
/// // Shrout and Fleiss, table 2.
/// let table = array![
///     [9.0, 2.0, 5.0, 8.0], [6.0, 1.0, 3.0, 2.0], [8.0, 4.0, 6.0, 8.0],
///     [7.0, 1.0, 2.0, 6.0], [10.0, 5.0, 6.0, 9.0], [6.0, 2.0, 4.0, 7.0],
/// ];
/// let icc = intraclass(&MeasurementSums::of(&table)?, 0.95)?;
/// assert!((icc.one_way? - 0.17).abs() < 5e-3 && (icc.agreement? - 0.29).abs() < 5e-3);
/// assert!((icc.consistency? - 0.71).abs() < 5e-3 && (icc.agreement_of_mean? - 0.62).abs() < 5e-3);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn intraclass(sums: &MeasurementSums, level: f64) -> Result<Intraclass, NotEstimable> {
    let tail = tail(level)?;
    if sums.subjects < 2 || sums.of_reader.len() < 2 {
        return Err(NotEstimable::EmptyInput);
    }
    from_mean_squares(&sums.mean_squares().ok_or(NotEstimable::InvalidInput)?, tail)
}

/// The intraclass correlations of two readers, from moments that may have been rounded: so are these then.
///
/// # Errors
///
/// Those of [`intraclass`].
///
/// # Examples
///
/// ```
/// use fedval_stats::agreement::{ReaderMoments, intraclass_of_two};
///
/// // Two readers who differ by 1 throughout, of subjects 1, 2 and 3: middles 0.5, 1.5 and 2.5.
/// let moments =
///     ReaderMoments { subjects: 3, bias: 1.0, sd_of_differences: 0.0, sd_of_middles: 1.0 };
/// let icc = intraclass_of_two(&moments, 0.95)?;
/// // MSR 2, MSC 1.5, MSE 0: 2 / (2 + 2 · 1.5 / 3).
/// assert!((icc.agreement? - 2.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn intraclass_of_two(moments: &ReaderMoments, level: f64) -> Result<Intraclass, NotEstimable> {
    let tail = tail(level)?;
    if moments.subjects < 2 {
        return Err(NotEstimable::EmptyInput);
    }
    from_mean_squares(&moments.mean_squares().ok_or(NotEstimable::InvalidInput)?, tail)
}

fn from_mean_squares(ms: &MeanSquares, tail: f64) -> Result<Intraclass, NotEstimable> {
    let squares = [ms.subjects, ms.readers, ms.residual, ms.within];
    if squares.iter().any(|square| *square < 0.0) {
        return Err(NotEstimable::InvalidInput);
    }
    let MeanSquares { n, k, subjects, readers, residual, within } = *ms;
    let share = |part: f64, whole: f64| {
        if whole.abs() > 0.0 { finite(part / whole) } else { Err(NotEstimable::ZeroVariance) }
    };
    let between_readers = (readers - residual) / n;
    let agreement =
        share(subjects - residual, subjects + (k - 1.0) * residual + k * between_readers);
    let limits = agreement.and_then(|agreement| limits(ms, agreement, tail));
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
    use ndarray::{Axis, array};

    use super::*;
    use crate::aggregate::Moments;

    fn icc(table: &Array2<f64>) -> Result<Intraclass, NotEstimable> {
        MeasurementSums::of(table).and_then(|sums| intraclass(&sums, 0.95))
    }

    #[test]
    fn what_does_not_vary_has_no_correlation() {
        let icc = icc(&Array2::from_elem((4, 2), 3.5)).unwrap();
        assert_eq!((icc.one_way, icc.agreement), (Err(NotEstimable::ZeroVariance), icc.one_way));
    }

    #[test]
    fn perfect_agreement_has_no_limits() {
        let icc = icc(&array![[1.0, 1.0], [2.0, 2.0], [5.0, 5.0]]).unwrap();
        assert!((icc.agreement.unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(icc.agreement_lower, Err(NotEstimable::ZeroVariance));
    }

    #[test]
    fn sites_add_up_to_all_whatever_their_order_and_offset() {
        let one = array![[1e9 + 1.0, 1e9 + 1.5], [1e9 + 4.0, 1e9 + 3.0]];
        let other = array![[1e9, 1e9 + 0.25], [1e9 + 9.0, 1e9 + 8.0], [1e9 + 2.0, 1e9 + 2.0]];
        let both = ndarray::concatenate(Axis(0), &[one.view(), other.view()]).unwrap();
        let sums = |table| MeasurementSums::of(table).unwrap();
        let merged = sums(&one).merge(&sums(&other)).unwrap();
        assert_eq!(merged, sums(&other).merge(&sums(&one)).unwrap());
        assert_eq!(merged, sums(&both));
        let near = icc(&both.mapv(|x| x - 1e9)).unwrap();
        let far = intraclass(&merged, 0.95).unwrap();
        assert!((near.agreement.unwrap() - far.agreement.unwrap()).abs() < 1e-12);
    }

    #[test]
    fn of_two_readers_differences_and_middles_say_it_all() {
        let table = array![[9.0, 2.0], [6.0, 1.0], [8.0, 4.0], [7.0, 1.0], [10.0, 5.0], [6.0, 2.5]];
        let moments = |of: fn(f64, f64) -> f64| {
            Moments::of(table.rows().into_iter().map(|row| of(row[0], row[1]))).unwrap()
        };
        let (differences, middles) = (moments(|a, b| a - b), moments(f64::midpoint));
        let found = intraclass_of_two(
            &ReaderMoments {
                subjects: 6,
                bias: differences.mean().unwrap(),
                sd_of_differences: differences.sd().unwrap(),
                sd_of_middles: middles.sd().unwrap(),
            },
            0.95,
        )
        .unwrap();
        let all = icc(&table).unwrap();
        for (one, other) in [
            (found.one_way, all.one_way),
            (found.agreement, all.agreement),
            (found.agreement_lower, all.agreement_lower),
            (found.agreement_upper, all.agreement_upper),
            (found.consistency, all.consistency),
            (found.agreement_of_mean, all.agreement_of_mean),
        ] {
            assert!((one.unwrap() - other.unwrap()).abs() < 1e-9);
        }
    }

    #[test]
    fn moments_that_no_measurements_have_are_refused() {
        let of = |subjects, sd_of_differences, sd_of_middles| {
            let moments = ReaderMoments { subjects, bias: 0.0, sd_of_differences, sd_of_middles };
            intraclass_of_two(&moments, 0.95).map(|icc| icc.agreement)
        };
        assert_eq!(of(1, 1.0, 1.0), Err(NotEstimable::EmptyInput));
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(of(9, bad, 1.0), Err(NotEstimable::InvalidInput), "{bad}");
            assert_eq!(of(9, 1.0, bad), Err(NotEstimable::InvalidInput), "{bad}");
        }
        assert_eq!(of(9, 0.0, 0.0), Ok(Err(NotEstimable::ZeroVariance)));
    }

    #[test]
    fn too_few_or_impossible_measurements_are_refused() {
        assert_eq!(icc(&array![[1.0, 2.0]]), Err(NotEstimable::EmptyInput));
        assert_eq!(icc(&array![[1.0], [2.0]]), Err(NotEstimable::EmptyInput));
        assert_eq!(icc(&array![[1.0, 2.0], [f64::NAN, 2.0]]), Err(NotEstimable::InvalidInput));
        let impossible = MeasurementSums {
            subjects: 2,
            of_reader: vec![5, -5],
            squares: Wide::default(),
            subject_squares: Wide::default(),
        };
        assert_eq!(intraclass(&impossible, 0.95), Err(NotEstimable::InvalidInput));
    }
}
