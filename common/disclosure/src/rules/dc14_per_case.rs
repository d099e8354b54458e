//! DC-14: nothing about a single case or patient, ever.
//!
//! The result's type has no field for a score, rank, id, hash, date or path. This rule is the last
//! look at the finished value: whatever earlier rules decided, no table that is shown may rest on
//! fewer than k patients of either label.
//!
//! Source: OpenSAFELY output checking ("nothing about five or fewer people").

use std::collections::{BTreeMap, BTreeSet};

use fedval_study::{Members, Release};

use super::dc03_identifying_cells::is_safe;

/// Whether sums by patient may be shown of a group in which so many patients have several cases.
///
/// Where one patient alone has two images and all others have one, the sums by patient give that
/// patient's two responses away. They are shown where nobody repeats, or enough patients do;
/// otherwise cases are summed as if they were independent, which a few repeats hardly change.
#[must_use]
pub const fn sums_by_patient_are_safe(patients_with_several: u64, k: u64) -> bool {
    patients_with_several == 0 || patients_with_several >= k
}

/// How many patients have cases in several cells of a table.
///
/// Whole minus cells, each with sums by patient, is the product of such a patient's cases in two
/// cells: where they are few, no cell's sums by patient are shown.
#[must_use]
pub fn straddling(members: &Members, table: usize) -> u64 {
    let mut first: BTreeMap<u32, u16> = BTreeMap::new();
    let mut several: BTreeSet<u32> = BTreeSet::new();
    for case in &members.cases {
        let Some(cell) = case.cells.get(table).copied() else { continue };
        if *first.entry(case.patient).or_insert(cell) != cell {
            several.insert(case.patient);
        }
    }
    u64::try_from(several.len()).unwrap_or(u64::MAX)
}

/// For each leaf of a dimension, whether its sums by patient may be shown.
///
/// `leaves` holds the patients with several cases and whether the leaf is shown at all. The whole
/// cohort's sums are known, so what is hidden must together hold nobody who repeats, or at least k:
/// otherwise subtraction gives the few away, and the leaf with the fewest repeats is hidden as well.
#[must_use]
pub fn leaves_by_patient(leaves: &[(u64, bool)], k: u64) -> Vec<bool> {
    let mut by_patient: Vec<bool> = leaves
        .iter()
        .map(|(several, is_shown)| *is_shown && sums_by_patient_are_safe(*several, k))
        .collect();
    loop {
        let hidden = leaves.iter().zip(&by_patient).filter(|(_, by_patient)| !**by_patient);
        let several: u64 = hidden.map(|((several, _), _)| several).sum();
        let fewest = (0..leaves.len())
            .filter(|index| by_patient[*index] && leaves[*index].0 > 0)
            .min_by_key(|index| leaves[*index].0);
        match fewest {
            Some(fewest) if !sums_by_patient_are_safe(several, k) => by_patient[fewest] = false,
            _ => return by_patient,
        }
    }
}

/// Whether every table of a finished release rests on enough patients.
#[must_use]
pub fn rests_on_groups(release: &Release, k: u64) -> bool {
    is_safe(release.overall.patients, k)
        && release
            .subgroups
            .iter()
            .filter_map(|cell| cell.performance.released())
            .all(|performance| is_safe(performance.patients, k))
}

#[cfg(test)]
mod tests {
    use fedval_study::members::Member;

    use super::*;

    #[test]
    fn a_few_patients_with_several_cases_are_not_told_apart_from_the_others() {
        assert!(sums_by_patient_are_safe(0, 11));
        assert!(!sums_by_patient_are_safe(1, 11));
        assert!(!sums_by_patient_are_safe(10, 11));
        assert!(sums_by_patient_are_safe(11, 11));
    }

    #[test]
    fn a_patient_with_images_of_two_scanners_straddles_the_table_of_scanners() {
        let case = |patient, cells: [u16; 2]| Member {
            patient,
            case: [u8::try_from(patient).unwrap(); 16],
            positive: true,
            cells: cells.into(),
        };
        let cases = vec![case(0, [0, 1]), case(0, [1, 1]), case(1, [0, 0]), case(1, [0, 0])];
        let members = Members::new(vec![[0; 16], [1; 16]], cases);
        assert_eq!((straddling(&members, 0), straddling(&members, 1)), (1, 0));
    }

    #[test]
    fn the_few_of_one_leaf_cannot_be_had_by_subtraction() {
        // One patient repeats in the second leaf: whole minus first would be that patient.
        assert_eq!(leaves_by_patient(&[(20, true), (1, true)], 11), [false, false]);
        assert_eq!(
            leaves_by_patient(&[(20, true), (1, true), (30, true)], 11),
            [false, false, true]
        );
        assert_eq!(leaves_by_patient(&[(20, true), (0, true)], 11), [true, true]);
        assert_eq!(leaves_by_patient(&[(20, true), (15, false)], 11), [true, false]);
        assert_eq!(leaves_by_patient(&[(20, true), (3, false)], 11), [false, false]);
    }
}
