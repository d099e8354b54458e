//! DC-03: a cell of an identifying dimension needs k patients of each label.
//!
//! The rule is on the denominator, not on the response count: hiding a table because it has few
//! false negatives would bias every pooled sensitivity downwards. An empty cell without proof that
//! it must be empty is treated like a small one.
//!
//! Source: DataSHIELD `nfilter.tab`; OHDSI `minCellCount`; shared measurement of the bias.

use fedval_study::PatientCounts;

/// Whether a cell's denominators are large enough for it to be shown.
#[must_use]
pub fn is_safe(patients: PatientCounts, k: u64) -> bool {
    patients.with_positive >= k && patients.with_negative >= k
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_labels_need_k_and_an_empty_cell_is_not_safe() {
        let cell = |with_positive, with_negative| PatientCounts {
            total: with_positive + with_negative,
            with_positive,
            with_negative,
        };
        assert!(is_safe(cell(11, 11), 11));
        assert!(!is_safe(cell(10, 400), 11));
        assert!(!is_safe(cell(400, 10), 11));
        assert!(!is_safe(cell(0, 0), 11));
    }
}
