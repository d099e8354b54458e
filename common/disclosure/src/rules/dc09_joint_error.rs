//! DC-09 where each of several conditions has an AUROC: the error of their mean.
//!
//! Beside the AUROCs it gives their covariances away, which patients with two conditions carry. A model that says the same of
//! every patient leaves so few ways to reach a covariance that how many have both follows from it. So the error leaves only
//! where all crossings of two conditions (there, not there, not assessed, three by three) are of nobody or of k patients.
//! In a study by group they are so within each group: a model that sees the group in the image can be silent about all others,
//! and how many of the group have either condition is told.
//! Groups that one release tells of and the error that another does say the same together, in either order: so the error
//! stays where any release was about some of these patients before, in other tables or beside others; and groups stay in
//! which few have two conditions where such a release may have held the error.
//! Elsewhere the mean of the AUROCs' own errors bounds it, which the receiver has.

use std::collections::{BTreeMap, BTreeSet};

use fedval_study::members::CONDITION_CELLS;

use crate::Footprint;

/// The least `k` of any policy: what a site released before may have been under another than today's.
const LEAST_K: u64 = 5;

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

/// Whether a release that left this behind may have held the error: one of several conditions, all of which were told.
#[must_use]
pub fn may_have_left(earlier: &Footprint) -> bool {
    let Some(conditions) = conditions_of(&earlier.shown) else { return false };
    let mut seen = BTreeSet::new();
    let cases = earlier.members.cases.iter().filter(|case| seen.insert(case.patient));
    let patients: Vec<&[u16]> = cases.map(|case| &case.cells[..]).collect();
    earlier.shown[..conditions].iter().flatten().all(|is_shown| *is_shown)
        && may_leave(&patients, conditions, LEAST_K)
}

/// How many conditions' tables these are, with or without those by group behind them; `None` of other tables.
fn conditions_of(tables: &[Vec<bool>]) -> Option<usize> {
    let are_all = |tables: &[Vec<bool>], cells: usize| tables.iter().all(|of| of.len() == cells);
    if are_all(tables, CONDITION_CELLS) {
        return (tables.len() > 1).then_some(tables.len());
    }
    let (own, by_group) = tables.split_at(tables.len() / 2);
    let (groups, crossed) = by_group.split_first()?;
    let is_by_group = own.len() > 1
        && own.len() == crossed.len()
        && are_all(own, CONDITION_CELLS)
        && are_all(crossed, CONDITION_CELLS * groups.len());
    is_by_group.then_some(own.len())
}

#[cfg(test)]
mod tests {
    use fedval_study::Members;
    use fedval_study::members::Member;

    use super::*;

    #[test]
    fn an_earlier_release_of_all_conditions_may_have_held_the_error_and_another_not() {
        let footprint = |both: u32, shown: Vec<Vec<bool>>| {
            let case = |patient: u32| {
                let cells =
                    if patient < both { vec![0_u16; shown.len()] } else { vec![1; shown.len()] };
                Member { patient, case: [0; 16], positive: true, cells: cells.into() }
            };
            let patients = (0..30).map(|_| [0; 16]).collect();
            let members = Members::new(patients, (0..30).map(case).collect());
            Footprint { members, shown, noisy: false }
        };
        let conditions = || vec![vec![true; 3]; 2];
        let by_group = [conditions(), vec![vec![false; 2]], vec![vec![false; 6]; 2]].concat();
        assert!(may_have_left(&footprint(10, conditions())));
        assert!(!may_have_left(&footprint(4, conditions())));
        assert!(!may_have_left(&footprint(10, vec![vec![true; 3], vec![false; 3]])));
        assert!(may_have_left(&footprint(10, by_group.clone())));
        assert!(!may_have_left(&footprint(4, by_group)));
        assert!(!may_have_left(&footprint(10, vec![vec![true; 3], vec![true; 2]])));
        for of_one_condition in [Vec::new(), vec![vec![true; 2]], vec![vec![true; 3]]] {
            assert!(!may_have_left(&footprint(10, of_one_condition)));
        }
    }

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
