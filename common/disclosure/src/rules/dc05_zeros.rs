//! DC-05: everybody of a group answered alike.
//!
//! Where `zeros_withheld` is in force, an exact 0 or 100 % stays: it tells the answer of every single
//! member. Where counts are rounded, 0 stands for 0 to 2. Under `standard` it may be shown: the answer
//! is the model's, not the patient's, and hiding it would bias every good model downwards.
//!
//! Source: ACRO 1.0.2 `zeros_are_disclosive`; EU SDC Handbook (2024), group disclosure.

use fedval_study::Terms;

/// Whether the two response counts of one label say that everybody answered alike, and may not.
#[must_use]
pub const fn discloses_a_class(right: u64, wrong: u64, terms: &Terms) -> bool {
    terms.zeros_withheld && (right == 0 || wrong == 0)
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::Profile;

    use super::*;
    use crate::profiles::terms;

    #[test]
    fn a_class_that_answered_alike_stays_where_zeros_are_disclosive() {
        let (acro, standard) = (terms(Profile::Acro), terms(Profile::Standard));
        assert!(discloses_a_class(15, 0, &acro) && discloses_a_class(0, 15, &acro));
        assert!(!discloses_a_class(15, 0, &standard));
        assert!(!discloses_a_class(14, 12, &acro));
    }
}
