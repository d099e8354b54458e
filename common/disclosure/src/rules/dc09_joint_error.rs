//! DC-09 where each of several conditions has an AUROC: the error of their mean.
//!
//! Beside the AUROCs it gives their covariances away, which patients with two conditions carry. A model that says the same of
//! every patient leaves so few ways to reach a covariance that how many have both follows from it. So the error leaves only
//! where all crossings of two conditions (there, not there, not assessed, three by three) are of nobody or of k patients.
//! In a study by group they are so within each group: a model that sees the group in the image can be silent about all others,
//! and how many of the group have either condition is told.
//! Elsewhere the mean of the AUROCs' own errors bounds it, which the receiver has.

use std::collections::BTreeMap;

/// A group, two conditions, and a cell of each.
type Crossing = (Option<u16>, [usize; 2], [u16; 2]);

/// Whether the error of the mean may leave: `patients` have a cell of each of so many conditions' tables and, in a study by
/// group, behind these that of their group.
#[must_use]
pub fn may_leave(patients: &[&[u16]], conditions: usize, k: u64) -> bool {
    let mut crossings: BTreeMap<Crossing, u64> = BTreeMap::new();
    for cells in patients {
        let group = cells.get(conditions).copied();
        let own = || cells.iter().take(conditions).enumerate();
        for (one, cell) in own() {
            for (other, beside) in own().skip(one + 1) {
                *crossings.entry((group, [one, other], [*cell, *beside])).or_default() += 1;
            }
        }
    }
    crossings.values().all(|patients| *patients >= k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_with_two_conditions_keep_the_error_and_nobody_does_not() {
        let cohort = |both: usize| -> Vec<&[u16]> {
            let some: &[&[u16]] = &[&[0, 1], &[1, 0], &[1, 1]];
            let many = some.iter().flat_map(|cells| std::iter::repeat_n(*cells, 30));
            many.chain(std::iter::repeat_n(&[0, 0][..], both)).collect()
        };
        let may = [0, 1, 10, 11].map(|both| may_leave(&cohort(both), 2, 11));
        assert_eq!(may, [true, false, false, true]);
    }

    #[test]
    fn every_two_of_the_conditions_count() {
        let mut cohort: Vec<&[u16]> = vec![&[0, 0, 0]; 20];
        cohort.extend([&[0, 0, 1][..]; 11]);
        assert!(may_leave(&cohort, 3, 11));
        cohort.extend([&[0, 1, 1][..]; 11]);
        assert!(may_leave(&cohort, 3, 11));
        cohort.extend([&[1, 1, 0][..]; 10]);
        assert!(!may_leave(&cohort, 3, 11));
    }

    #[test]
    fn in_a_study_by_group_every_group_counts() {
        let cohort = |last: u16| -> Vec<&[u16]> {
            let groups: [&[u16]; 2] = [&[0, 1, 0], if last == 0 { &[0, 1, 0] } else { &[0, 1, 1] }];
            [vec![groups[0]; 20], vec![groups[1]; 5]].concat()
        };
        assert!(may_leave(&cohort(0), 2, 11));
        assert!(!may_leave(&cohort(1), 2, 11));
    }
}
