//! Cohen's kappa of two gradings, with weights.

use ndarray::Array2;

use crate::NotEstimable;
use crate::aggregate::CrossTable;
use crate::count::{count_to_f64, len_to_f64};
use crate::interval::Interval;

/// Below this, chance agreement is complete: every case has one grade from both.
const NONE_LEFT: f64 = 1e-15;

impl CrossTable {
    /// Shares of all cases, and their margins.
    fn shares(&self) -> Result<Shares, NotEstimable> {
        let n = self.counts().iter().fold(0.0, |sum, count| sum + count_to_f64(*count));
        if n <= 0.0 {
            return Err(NotEstimable::EmptyInput);
        }
        let cells = self.counts().mapv(|count| count_to_f64(count) / n);
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
/// use fedval_stats::aggregate::CrossTable;
/// use fedval_stats::agreement::{Weighting, kappa};
/// use ndarray::array;
///
/// let grades = CrossTable::new(array![[45, 15], [25, 15]])?;
/// let agreement = kappa(&grades, Weighting::Unweighted, 0.95)?;
/// assert!((agreement.kappa?.estimate - 0.1304).abs() < 5e-5);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn kappa(grades: &CrossTable, weighting: Weighting, level: f64) -> Result<Kappa, NotEstimable> {
    crate::interval::critical_normal(level)?;
    let Shares { cells, rows, columns, n } = grades.shares()?;
    let k = rows.len();
    let weight = |i: usize, j: usize| weighting.agreement(i, j, k);
    let sum = |term: &dyn Fn(usize, usize) -> f64| {
        (0..k * k).fold(0.0, |sum, cell| sum + term(cell / k, cell % k))
    };
    let observed = sum(&|i, j| weight(i, j) * cells[[i, j]]);
    let chance = sum(&|i, j| weight(i, j) * rows[i] * columns[j]);
    // Each difference is summed by itself: subtracting sums would leave rounding where agreement is nearly
    // complete.
    let rest = sum(&|i, j| (1.0 - weight(i, j)) * rows[i] * columns[j]);
    let missed = sum(&|i, j| (1.0 - weight(i, j)) * cells[[i, j]]);
    if rest.abs() < NONE_LEFT {
        let none = NotEstimable::ConstantScore;
        return Ok(Kappa { observed, chance, kappa: Err(none), se: Err(none), se_null: Err(none) });
    }
    // The mean agreement of a grade with the other grading's.
    let of_row: Vec<f64> =
        (0..k).map(|i| (0..k).fold(0.0, |sum, j| sum + weight(i, j) * columns[j])).collect();
    let of_column: Vec<f64> =
        (0..k).map(|j| (0..k).fold(0.0, |sum, i| sum + weight(i, j) * rows[i])).collect();
    // What the terms are around: their mean, `po pe − 2 pe + po`.
    let centre = rest - missed * (1.0 + chance);
    let spread = sum(&|i, j| {
        let term = weight(i, j) * rest - (of_row[i] + of_column[j]) * missed - centre;
        cells[[i, j]] * term * term
    });
    let variance = spread / (n * rest.powi(4));
    let spread_null = sum(&|i, j| {
        let term = weight(i, j) - (of_row[i] + of_column[j]) + chance;
        rows[i] * columns[j] * term * term
    });
    let variance_null = spread_null / (n * rest * rest);
    let se = libm::sqrt(variance.max(0.0));
    Ok(Kappa {
        observed,
        chance,
        kappa: Interval::wald(1.0 - missed / rest, se, level),
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
        let grades = CrossTable::new(array![[9, 0], [0, 0]]).unwrap();
        let agreement = kappa(&grades, Weighting::Quadratic, 0.95).unwrap();
        assert_eq!(agreement.kappa, Err(NotEstimable::ConstantScore));
        assert!((agreement.observed - 1.0).abs() < 1e-15);
    }

    #[test]
    fn perfect_agreement_is_one_without_error() {
        let grades = CrossTable::new(array![[5, 0, 0], [0, 7, 0], [0, 0, 2]]).unwrap();
        for weighting in [Weighting::Unweighted, Weighting::Linear, Weighting::Quadratic] {
            let agreement = kappa(&grades, weighting, 0.95).unwrap();
            assert!((agreement.kappa.unwrap().estimate - 1.0).abs() < 1e-15);
            assert!(agreement.se.unwrap() < 1e-9);
        }
    }

    #[test]
    fn no_cases_are_refused() {
        let empty = CrossTable::new(Array2::zeros((2, 2))).unwrap();
        assert_eq!(kappa(&empty, Weighting::Linear, 0.95), Err(NotEstimable::EmptyInput));
    }
}
