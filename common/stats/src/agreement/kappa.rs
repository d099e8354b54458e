//! Cohen's kappa of two gradings, with weights.

use ndarray::Array2;

use crate::NotEstimable;
use crate::count::{count_to_f64, len_to_f64};
use crate::interval::Interval;

/// Below this, chance agreement is complete: every case has one grade from both.
const NONE_LEFT: f64 = 1e-15;

/// Counts of cases by the grade of a first and a second grading, both of the same grades: K × K, K ≥ 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GradeMatrix(Array2<u64>);

impl GradeMatrix {
    /// Accepts a square table of at least two grades; rows are the first grading.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] for any other shape.
    pub fn new(counts: Array2<u64>) -> Result<Self, NotEstimable> {
        let is_square = counts.nrows() == counts.ncols() && counts.nrows() >= 2;
        if is_square { Ok(Self(counts)) } else { Err(NotEstimable::InvalidInput) }
    }

    /// The counts.
    #[must_use]
    pub const fn counts(&self) -> &Array2<u64> {
        &self.0
    }

    /// The table of two disjoint cohorts together, cell by cell (saturating).
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where they have different numbers of grades.
    pub fn merge(mut self, other: &Self) -> Result<Self, NotEstimable> {
        if self.0.dim() != other.0.dim() {
            return Err(NotEstimable::InvalidInput);
        }
        self.0.zip_mut_with(&other.0, |sum, count| *sum = sum.saturating_add(*count));
        Ok(self)
    }

    fn shares(&self) -> Result<Shares, NotEstimable> {
        let n = self.0.iter().fold(0.0, |sum, count| sum + count_to_f64(*count));
        if n <= 0.0 {
            return Err(NotEstimable::EmptyInput);
        }
        let cells = self.0.mapv(|count| count_to_f64(count) / n);
        let sum = |lane: &ndarray::ArrayView1<'_, f64>| lane.iter().fold(0.0, |sum, x| sum + x);
        let rows = cells.rows().into_iter().map(|row| sum(&row)).collect();
        let columns = cells.columns().into_iter().map(|column| sum(&column)).collect();
        Ok(Shares { cells, rows, columns, n })
    }
}

/// Shares of all cases, and their margins.
struct Shares {
    cells: Array2<f64>,
    rows: Vec<f64>,
    columns: Vec<f64>,
    n: f64,
}

/// How much a disagreement counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weighting {
    /// Every disagreement counts in full.
    Unweighted,
    /// By the distance of the grades.
    Linear,
    /// By its square.
    Quadratic,
}

impl Weighting {
    /// How far grades i and j of k agree, from 0 to 1.
    fn agreement(self, i: usize, j: usize, k: usize) -> f64 {
        let distance = len_to_f64(i.abs_diff(j)) / len_to_f64(k - 1);
        match self {
            Self::Unweighted => f64::from(u8::from(i == j)),
            Self::Linear => 1.0 - distance,
            Self::Quadratic => 1.0 - distance * distance,
        }
    }
}

/// Agreement beyond chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kappa {
    /// Observed (weighted) agreement, from 0 to 1.
    pub observed: f64,
    /// Agreement by chance, from the margins.
    pub chance: f64,
    /// `(observed − chance) / (1 − chance)` with its large-sample interval;
    /// [`NotEstimable::ConstantScore`] where chance agreement is complete.
    pub kappa: Result<Interval, NotEstimable>,
    /// Its standard error (Fleiss, Cohen and Everitt).
    pub se: Result<f64, NotEstimable>,
    /// Its standard error where there is no agreement beyond chance, for a test of that.
    pub se_null: Result<f64, NotEstimable>,
}

/// Cohen's kappa of two gradings.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases, [`NotEstimable::LevelOutOfRange`].
///
/// # References
///
/// - J. Cohen (1968). Psychol. Bull. 70, 213–220.
/// - J. L. Fleiss, J. Cohen, B. S. Everitt (1969). Psychol. Bull. 72, 323–327, eq. 8 and 10. The error
///   that psych 2.2.9 prints for the weighted form is not theirs.
///
/// # Examples
///
/// ```
/// use fedval_stats::agreement::{GradeMatrix, Weighting, kappa};
/// use ndarray::array;
///
/// let grades = GradeMatrix::new(array![[45, 15], [25, 15]])?;
/// let agreement = kappa(&grades, Weighting::Unweighted, 0.95)?;
/// assert!((agreement.kappa?.estimate - 0.1304).abs() < 5e-5);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn kappa(
    grades: &GradeMatrix,
    weighting: Weighting,
    level: f64,
) -> Result<Kappa, NotEstimable> {
    crate::interval::critical_normal(level)?;
    let Shares { cells, rows, columns, n } = grades.shares()?;
    let k = rows.len();
    let weight = |i: usize, j: usize| weighting.agreement(i, j, k);
    let sum = |term: &dyn Fn(usize, usize) -> f64| {
        (0..k * k).fold(0.0, |sum, cell| sum + term(cell / k, cell % k))
    };
    let observed = sum(&|i, j| weight(i, j) * cells[[i, j]]);
    let chance = sum(&|i, j| weight(i, j) * rows[i] * columns[j]);
    let rest = 1.0 - chance;
    if rest.abs() < NONE_LEFT {
        let none = NotEstimable::ConstantScore;
        return Ok(Kappa { observed, chance, kappa: Err(none), se: Err(none), se_null: Err(none) });
    }
    // The mean agreement of a grade with the other grading's.
    let of_row: Vec<f64> =
        (0..k).map(|i| (0..k).fold(0.0, |sum, j| sum + weight(i, j) * columns[j])).collect();
    let of_column: Vec<f64> =
        (0..k).map(|j| (0..k).fold(0.0, |sum, i| sum + weight(i, j) * rows[i])).collect();
    let spread = sum(&|i, j| {
        let term = weight(i, j) * rest - (of_row[i] + of_column[j]) * (1.0 - observed);
        cells[[i, j]] * term * term
    });
    let centre = observed * chance - 2.0 * chance + observed;
    let variance = (spread - centre * centre) / (n * rest.powi(4));
    let spread_null = sum(&|i, j| {
        let term = weight(i, j) - (of_row[i] + of_column[j]);
        rows[i] * columns[j] * term * term
    });
    let variance_null = (spread_null - chance * chance) / (n * rest * rest);
    let se = libm::sqrt(variance.max(0.0));
    Ok(Kappa {
        observed,
        chance,
        kappa: Interval::wald((observed - chance) / rest, se, level),
        se: Ok(se),
        se_null: Ok(libm::sqrt(variance_null.max(0.0))),
    })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn one_grade_for_all_leaves_nothing_beyond_chance() {
        let grades = GradeMatrix::new(array![[9, 0], [0, 0]]).unwrap();
        let agreement = kappa(&grades, Weighting::Quadratic, 0.95).unwrap();
        assert_eq!(agreement.kappa, Err(NotEstimable::ConstantScore));
        assert!((agreement.observed - 1.0).abs() < 1e-15);
    }

    #[test]
    fn perfect_agreement_is_one_without_error() {
        let grades = GradeMatrix::new(array![[5, 0, 0], [0, 7, 0], [0, 0, 2]]).unwrap();
        for weighting in [Weighting::Unweighted, Weighting::Linear, Weighting::Quadratic] {
            let agreement = kappa(&grades, weighting, 0.95).unwrap();
            assert!((agreement.kappa.unwrap().estimate - 1.0).abs() < 1e-15);
            assert!(agreement.se.unwrap() < 1e-9);
        }
    }

    #[test]
    fn other_shapes_and_no_cases_are_refused() {
        assert!(GradeMatrix::new(array![[1]]).is_err());
        assert!(GradeMatrix::new(array![[1, 2, 3], [4, 5, 6]]).is_err());
        let empty = GradeMatrix::new(Array2::zeros((2, 2))).unwrap();
        assert_eq!(kappa(&empty, Weighting::Linear, 0.95), Err(NotEstimable::EmptyInput));
    }

    #[test]
    fn merging_adds_cells_and_needs_the_same_grades() {
        let two = GradeMatrix::new(array![[1, 2], [3, 4]]).unwrap();
        let sum = two.clone().merge(&two).unwrap();
        assert_eq!(sum.counts(), &array![[2, 4], [6, 8]]);
        let three = GradeMatrix::new(Array2::zeros((3, 3))).unwrap();
        assert_eq!(two.merge(&three), Err(NotEstimable::InvalidInput));
    }
}
