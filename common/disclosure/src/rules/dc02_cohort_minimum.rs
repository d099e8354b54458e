//! DC-02: below the cohort minimum nothing leaves but `INSUFFICIENT`.
//!
//! n ≥ max(20, 2k), n⁺ ≥ k and n⁻ ≥ k, all in distinct patients.
//!
//! Source: CMS cell-size suppression policy (1–10 not shown), ACRO `safe_threshold` 10; STRATOS and
//! FeTS hide sites below 40 cases.

use fedval_study::PatientCounts;

/// Fewest patients of any cohort, whatever k is.
const FLOOR: u64 = 20;

/// Whether a cohort is large enough for anything about it to leave.
#[must_use]
pub fn is_sufficient(patients: PatientCounts, k: u64) -> bool {
    patients.total >= FLOOR.max(2 * k) && patients.with_positive >= k && patients.with_negative >= k
}

/// The same for a cohort of several classes: n ≥ max(20, 2k), and k patients of each class.
#[must_use]
pub fn classes_are_sufficient(sizes: &[u64], k: u64) -> bool {
    let total = sizes.iter().fold(0, |sum: u64, size| sum.saturating_add(*size));
    total >= FLOOR.max(2 * k) && sizes.iter().all(|size| *size >= k)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(total: u64, with_positive: u64, with_negative: u64) -> PatientCounts {
        PatientCounts { total, with_positive, with_negative }
    }

    #[test]
    fn each_of_the_three_minima_binds() {
        assert!(is_sufficient(counts(22, 11, 11), 11));
        assert!(!is_sufficient(counts(21, 11, 11), 11));
        assert!(!is_sufficient(counts(40, 10, 30), 11));
        assert!(!is_sufficient(counts(40, 30, 10), 11));
        assert!(!is_sufficient(counts(19, 10, 10), 5));
    }

    #[test]
    fn every_class_needs_k_patients() {
        assert!(classes_are_sufficient(&[11, 11], 11));
        assert!(!classes_are_sufficient(&[40, 10, 40], 11));
        assert!(!classes_are_sufficient(&[40, 0, 40], 11));
        assert!(!classes_are_sufficient(&[9, 9], 5));
    }

    #[test]
    fn one_patient_with_forty_images_is_one_patient() {
        assert!(!is_sufficient(counts(10, 1, 9), 5));
    }
}
