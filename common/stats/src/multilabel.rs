//! Several conditions of the same patients, each with a score and a reference standard of its own: the mean of their
//! areas, with its error.
//!
//! Unlike classes, conditions do not exclude each other, and a patient may be assessed for some of them alone. With
//! `x_if` the placement of patient i in the area of condition f, `A_f` that area and `m_f(i)` the patients on i's side
//! of it, a patient's part in the area is
//!
//! ```text
//! p_if = (x_if − A_f) / √(m_f(i) (m_f(i) − 1)),   0 where i was not assessed for f
//! cov(A_f, A_g) = Σ_i p_if p_ig
//! var(Ā) = Σ_i (Σ_f p_if)² / F²
//! ```
//!
//! The diagonal is DeLong's variance. What one patient does to all areas is added up before it is squared, so that
//! patients are the clusters: scores of one image for several conditions are far from independent.
//!
//! # References
//!
//! - E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson (1988). Biometrics 44, 837–845, eq. 4–6 (placements).
//! - N. A. Obuchowski (1997). Biometrics 53, 567–578 (sums over clusters before they are squared).

use crate::NotEstimable;
use crate::aggregate::doubled_placements;
use crate::count::{count_to_f64, len_to_f64};

/// One condition over all patients, in one order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConditionScores {
    /// A score for each patient as an integer key: only order and equality matter.
    pub rank_keys: Vec<i64>,
    /// Whether each patient has the condition; `None` of one who was not assessed for it.
    pub reference: Vec<Option<bool>>,
}

/// The areas of several conditions and their mean.
#[derive(Debug, Clone, PartialEq)]
pub struct MacroArea {
    /// The area of each condition, on the probability scale.
    pub auc: Vec<f64>,
    /// The mean of the areas.
    pub mean: f64,
    /// The standard error of the mean, between patients.
    pub se: f64,
}

/// The mean of the areas of several conditions, with its standard error between patients.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without conditions; [`NotEstimable::InvalidInput`] where conditions have different
/// numbers of patients; [`NotEstimable::OneClassOnly`] where of a condition nobody who was assessed has it, or everybody;
/// [`NotEstimable::TooFewPerClass`] where one patient alone has it, or has not.
///
/// # Examples
///
/// ```
/// use fedval_stats::multilabel::{ConditionScores, macro_area};
///
/// let effusion = ConditionScores {
///     rank_keys: vec![9, 7, 4, 2, 8],
///     reference: vec![Some(true), Some(true), Some(false), Some(false), None],
/// };
/// let nodule = ConditionScores {
///     rank_keys: vec![3, 8, 5, 1, 2],
///     reference: vec![Some(true), Some(true), Some(false), Some(false), Some(false)],
/// };
/// let found = macro_area(&[effusion, nodule])?;
/// assert!((found.auc[0] - 1.0).abs() < 1e-15 && (found.auc[1] - 5.0 / 6.0).abs() < 1e-15);
/// assert!((found.mean - 11.0 / 12.0).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn macro_area(conditions: &[ConditionScores]) -> Result<MacroArea, NotEstimable> {
    let patients = conditions.first().ok_or(NotEstimable::EmptyInput)?.reference.len();
    let is_whole =
        |of: &ConditionScores| of.reference.len() == patients && of.rank_keys.len() == patients;
    if !conditions.iter().all(is_whole) {
        return Err(NotEstimable::InvalidInput);
    }
    let mut parts = vec![0.0; patients];
    let mut auc = Vec::with_capacity(conditions.len());
    for condition in conditions {
        auc.push(add_parts(condition, &mut parts)?);
    }
    let of = len_to_f64(conditions.len());
    let mean = auc.iter().fold(0.0, |sum, area| sum + area) / of;
    let squares = parts.iter().fold(0.0, |sum, part| sum + part * part);
    Ok(MacroArea { auc, mean, se: libm::sqrt(squares) / of })
}

/// The area of a condition; what each patient does to it is added to `parts`.
fn add_parts(condition: &ConditionScores, parts: &mut [f64]) -> Result<f64, NotEstimable> {
    let assessed: Vec<(usize, bool)> = (0..)
        .zip(&condition.reference)
        .filter_map(|(patient, reference)| Some((patient, (*reference)?)))
        .collect();
    let keys: Vec<i64> =
        assessed.iter().map(|(patient, _)| condition.rank_keys[*patient]).collect();
    let positive: Vec<bool> = assessed.iter().map(|(_, is_there)| *is_there).collect();
    let with = positive.iter().filter(|is_there| **is_there).count();
    let without = positive.len() - with;
    match with.min(without) {
        0 => return Err(NotEstimable::OneClassOnly),
        1 => return Err(NotEstimable::TooFewPerClass),
        _ => {}
    }
    let placements = doubled_placements(&keys, &positive);
    let sides = |is_there: bool| {
        let (own, others) = if is_there { (with, without) } else { (without, with) };
        (len_to_f64(own), len_to_f64(others))
    };
    let share = |(placement, is_there): (&u64, &bool)| {
        count_to_f64(*placement) / (2.0 * sides(*is_there).1)
    };
    let wins = placements.iter().zip(&positive).filter(|(_, is_there)| **is_there);
    let area = wins.map(share).fold(0.0, |sum, x| sum + x) / len_to_f64(with);
    for (((patient, is_there), placement), own) in assessed.iter().zip(&placements).zip(&positive) {
        let beside = sides(*is_there).0;
        let deviation = share((placement, own)) - area;
        parts[*patient] += deviation / libm::sqrt(beside * (beside - 1.0));
    }
    Ok(area)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{RankedCase, rank_sums};
    use crate::auroc::delong;

    fn condition(keys: [i64; 8], reference: &str) -> ConditionScores {
        let reference = reference.chars().map(|sign| match sign {
            '+' => Some(true),
            '-' => Some(false),
            _ => None,
        });
        ConditionScores { rank_keys: keys.into(), reference: reference.collect() }
    }

    #[test]
    fn one_condition_has_delongs_area_and_error() {
        let one = condition([5, 4, 3, 6, 2, 1, 2, 4], "++-+--?-");
        let cases: Vec<RankedCase> = (0..)
            .zip(one.rank_keys.iter().zip(&one.reference))
            .filter_map(|(cluster, (key, reference))| {
                Some(RankedCase { rank_key: *key, positive: (*reference)?, cluster })
            })
            .collect();
        let alone = delong(&rank_sums(&cases).0).unwrap();
        let found = macro_area(&[one]).unwrap();
        assert!((found.mean - alone.auc).abs() < 1e-15);
        assert!((found.se - alone.se).abs() < 1e-14);
    }

    #[test]
    fn the_same_condition_twice_is_no_more_certain_than_once() {
        let cases = condition([5, 4, 3, 6, 2, 1, 2, 4], "++-+--+-");
        let once = macro_area(std::slice::from_ref(&cases)).unwrap();
        let twice = macro_area(&[cases.clone(), cases]).unwrap();
        assert!((once.se - twice.se).abs() < 1e-15);
        assert!((once.mean - twice.mean).abs() < 1e-15);
    }

    #[test]
    fn conditions_of_other_patients_are_independent() {
        let first = condition([5, 2, 4, 1, 0, 0, 0, 0], "++--????");
        let second = condition([0, 0, 0, 0, 7, 3, 5, 2], "????++--");
        let apart = [&first, &second].map(|of| macro_area(std::slice::from_ref(of)).unwrap().se);
        let both = macro_area(&[first, second]).unwrap().se;
        assert!((both - apart[0].hypot(apart[1]) / 2.0).abs() < 1e-15);
    }

    #[test]
    fn what_has_no_area_has_its_reason() {
        let good = condition([5, 4, 3, 6, 2, 1, 2, 4], "++-+--+-");
        let of = |other: ConditionScores| macro_area(&[good.clone(), other]).unwrap_err();
        let keys = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(of(condition(keys, "++++++??")), NotEstimable::OneClassOnly);
        assert_eq!(of(condition(keys, "????????")), NotEstimable::OneClassOnly);
        assert_eq!(of(condition(keys, "++++++?-")), NotEstimable::TooFewPerClass);
        let mut short = condition(keys, "++-+--+-");
        short.reference.pop();
        assert_eq!(of(short), NotEstimable::InvalidInput);
        assert_eq!(macro_area(&[]).unwrap_err(), NotEstimable::EmptyInput);
    }
}
