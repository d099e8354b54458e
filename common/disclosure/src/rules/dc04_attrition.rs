//! DC-04: excluded and failed cases are patients too.
//!
//! A reason with fewer than k patients is folded into "other"; where "other" is still below k it is
//! suppressed, and the smallest reason shown is suppressed with it.
//!
//! Source: CMS cell-size suppression policy, which names excluded cases.

use std::collections::BTreeSet;

use fedval_study::Cell;
use fedval_study::result::AttritionCount;
use fedval_study::summary::FailureReason;

/// The attrition that may be shown, from one set of reasons for each failed patient.
///
/// A reason that is not listed had no patient, or was folded into "other".
#[must_use]
pub fn shown(failures: &[BTreeSet<FailureReason>], k: u64) -> Vec<AttritionCount> {
    let count = |reason: FailureReason| {
        u64::try_from(failures.iter().filter(|reasons| reasons.contains(&reason)).count())
            .unwrap_or(u64::MAX)
    };
    let named = FailureReason::ALL.into_iter().filter(|reason| *reason != FailureReason::Other);
    let (large, small): (Vec<_>, Vec<_>) = named.partition(|reason| count(*reason) >= k);
    let mut rows: Vec<AttritionCount> = large
        .iter()
        .map(|reason| AttritionCount { reason: *reason, patients: Cell::Released(count(*reason)) })
        .collect();
    let is_other =
        |reason: &FailureReason| small.contains(reason) || *reason == FailureReason::Other;
    let other = failures.iter().filter(|reasons| reasons.iter().any(is_other)).count();
    let other = u64::try_from(other).unwrap_or(u64::MAX);
    if other == 0 {
        return rows;
    }
    let patients = if other >= k {
        Cell::Released(other)
    } else {
        suppress_smallest(&mut rows);
        Cell::Suppressed
    };
    rows.push(AttritionCount { reason: FailureReason::Other, patients });
    rows
}

/// A single blank under a total known from elsewhere is no blank at all.
fn suppress_smallest(rows: &mut [AttritionCount]) {
    let smallest = rows.iter_mut().min_by_key(|row| row.patients.released().copied());
    if let Some(row) = smallest {
        row.patients = Cell::Suppressed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(undecodable: usize, wrong_size: usize) -> Vec<BTreeSet<FailureReason>> {
        let of = |reason, n| std::iter::repeat_n(BTreeSet::from([reason]), n);
        of(FailureReason::Undecodable, undecodable)
            .chain(of(FailureReason::WrongSize, wrong_size))
            .collect()
    }

    #[test]
    fn nothing_failed_is_an_empty_table() {
        assert!(shown(&[], 11).is_empty());
    }

    #[test]
    fn rare_reasons_fold_into_other() {
        let rows = shown(&failures(6, 6), 11);
        assert_eq!(
            rows,
            [AttritionCount { reason: FailureReason::Other, patients: Cell::Released(12) }]
        );
    }

    #[test]
    fn a_small_other_takes_a_partner_with_it() {
        let rows = shown(&failures(30, 2), 11);
        let cells: Vec<_> = rows.iter().map(|row| (row.reason, row.patients)).collect();
        assert_eq!(
            cells,
            [
                (FailureReason::Undecodable, Cell::Suppressed),
                (FailureReason::Other, Cell::Suppressed),
            ]
        );
    }

    #[test]
    fn a_patient_with_two_rare_reasons_is_one_patient() {
        let both = BTreeSet::from([FailureReason::Undecodable, FailureReason::WrongSize]);
        let rows = shown(&vec![both; 8], 11);
        assert_eq!(rows[0].patients, Cell::Suppressed);
    }
}
