//! Hand and Till's generalisation of the AUROC.

use super::ClassScores;
use crate::NotEstimable;
use crate::aggregate::{RankedCase, rank_sums};
use crate::auroc::auc_of;
use crate::count::len_to_f64;

/// Hand and Till's M: the mean over pairs of classes of how well each one's score tells it from the other,
/// unmoved by the prevalences.
///
/// # Errors
///
/// [`NotEstimable::OneClassOnly`] where a class has no case.
///
/// # References
///
/// - D. J. Hand, R. J. Till (2001). Mach. Learn. 45, 171–186, eq. 7.
///
/// # Examples
///
/// ```
/// use fedval_stats::multiclass::{ClassScores, hand_till};
/// use ndarray::array;
///
/// let scores = ClassScores::new(vec![0, 1, 2], array![[9, 1, 1], [1, 9, 1], [1, 1, 9]])?;
/// assert!((hand_till(&scores)? - 1.0).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn hand_till(scores: &ClassScores) -> Result<f64, NotEstimable> {
    let k = scores.classes();
    let mut sum = 0.0;
    for first in 0..k {
        for second in first + 1..k {
            let pair = area(scores, first, second)? + area(scores, second, first)?;
            sum += pair / 2.0;
        }
    }
    Ok(sum / (len_to_f64(k) * len_to_f64(k - 1) / 2.0))
}

/// How well the score of `class` tells its cases from those of `other`.
fn area(scores: &ClassScores, class: usize, other: usize) -> Result<f64, NotEstimable> {
    let cases: Vec<RankedCase> = scores
        .class
        .iter()
        .zip(scores.rank_keys.column(class))
        .filter(|(own, _)| **own == class || **own == other)
        .map(|(own, rank_key)| RankedCase {
            rank_key: *rank_key,
            positive: *own == class,
            cluster: 0,
        })
        .collect();
    match auc_of(&rank_sums(&cases).0) {
        Err(NotEstimable::EmptyInput) => Err(NotEstimable::OneClassOnly),
        area => area,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_class_without_cases_has_no_pair() {
        let scores = ClassScores::new(vec![0, 1], array![[3, 2, 1], [1, 2, 3]]).unwrap();
        assert_eq!(hand_till(&scores), Err(NotEstimable::OneClassOnly));
    }

    #[test]
    fn two_classes_are_one_area() {
        let scores = ClassScores::new(vec![0, 0, 1], array![[3, 1], [1, 3], [2, 2]]).unwrap();
        assert!((hand_till(&scores).unwrap() - 0.5).abs() < 1e-15);
    }
}
