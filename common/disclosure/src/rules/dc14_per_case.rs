//! DC-14: nothing about a single case or patient, ever.
//!
//! The result's type has no field for a score, rank, id, hash, date or path. This rule is the last
//! look at the finished value: whatever earlier rules decided, no table that is shown may rest on
//! fewer than k patients of either label.
//!
//! Source: OpenSAFELY output checking ("nothing about five or fewer people").

use fedval_study::Release;

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
    use super::*;

    #[test]
    fn a_few_patients_with_several_cases_are_not_told_apart_from_the_others() {
        assert!(sums_by_patient_are_safe(0, 11));
        assert!(!sums_by_patient_are_safe(1, 11));
        assert!(!sums_by_patient_are_safe(10, 11));
        assert!(sums_by_patient_are_safe(11, 11));
    }
}
