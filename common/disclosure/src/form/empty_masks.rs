//! Patients in whom a mask is empty, as they may leave: by kind, in exact counts or not at all.
//!
//! Misses are a response count behind a denominator of those who have the structure, and these, or already those of them
//! who are measured, were held to the cohort's minimum (DC-02). Those without the structure are a group of
//! their own, and k of them are needed (DC-03); fewer look like none. Terms that round or keep response counts back have
//! no form for these counts (DC-06): beside rounded means they would give back what rounding hides.

use fedval_stats::segmentation::PresenceTally;
use fedval_study::Terms;
use fedval_study::empty_masks::{EmptyMasks, WithoutStructure};

use crate::decision::{Decision, Verdict};
use crate::rules::dc25_marking::Suppression;
use crate::rules::{Rule, dc15_inference};

const MISSED: &str = "patients whose structure was missed";
const WITHOUT: &str = "patients without the structure";

/// What may leave of a site's counts. An earlier release about these patients may have told how many they are: beside it
/// misses would give back a small group without the structure, and stay with it (DC-18).
pub(crate) fn of(
    tally: PresenceTally,
    terms: &Terms,
    beside_earlier: bool,
    decisions: &mut Vec<Decision>,
) -> Option<EmptyMasks> {
    let withheld = Verdict::Withheld(Suppression::Primary);
    if !dc15_inference::variance_components_may_leave(terms) {
        decisions.extend([MISSED, WITHOUT].map(|of| Decision::new(of, withheld, Rule::Dc06)));
        return None;
    }
    let without = WithoutStructure { neither: tally.neither, spurious: tally.only_predicted };
    let is_enough = without.patients() >= terms.k;
    if beside_earlier && !is_enough {
        decisions.push(Decision::new(MISSED, withheld, Rule::Dc18));
        decisions.push(Decision::new(WITHOUT, withheld, Rule::Dc03));
        return None;
    }
    decisions.push(Decision::new(MISSED, Verdict::Released, Rule::Dc06));
    let verdict = if is_enough { Verdict::Released } else { withheld };
    decisions.push(Decision::new(WITHOUT, verdict, Rule::Dc03));
    Some(EmptyMasks {
        missed: tally.only_reference,
        without_structure: is_enough.then_some(without),
    })
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::Profile;

    use super::*;

    fn tally(only_reference: u64, only_predicted: u64, neither: u64) -> PresenceTally {
        PresenceTally { both: 40, only_reference, only_predicted, neither }
    }

    fn shown(tally: PresenceTally, terms: &Terms) -> Option<EmptyMasks> {
        of(tally, terms, false, &mut Vec::new())
    }

    #[test]
    fn misses_leave_and_a_small_group_without_the_structure_looks_like_none() {
        let terms = Terms::exact(Profile::Standard, 11);
        let of_few = Some(EmptyMasks { missed: 3, without_structure: None });
        assert_eq!(shown(tally(3, 2, 8), &terms), of_few);
        assert_eq!(shown(tally(3, 0, 0), &terms), of_few);
        let without_structure = Some(WithoutStructure { neither: 9, spurious: 2 });
        let of_many = EmptyMasks { missed: 0, without_structure };
        assert_eq!(shown(tally(0, 2, 9), &terms), Some(of_many));
    }

    #[test]
    fn beside_an_earlier_release_misses_stay_with_a_small_group() {
        let terms = Terms::exact(Profile::Standard, 11);
        let mut decisions = Vec::new();
        assert_eq!(of(tally(3, 2, 8), &terms, true, &mut decisions), None);
        assert_eq!(decisions.len(), 2, "the steward sees what stays");
        let many = of(tally(3, 2, 9), &terms, true, &mut Vec::new());
        assert_eq!(many, shown(tally(3, 2, 9), &terms));
        assert!(many.is_some());
    }

    #[test]
    fn terms_that_round_or_keep_counts_back_have_no_form_for_them() {
        let exact = Terms::exact(Profile::Standard, 11);
        for terms in [
            Terms { rounding_base: 5, ..exact },
            Terms { zeros_withheld: true, ..exact },
            Terms { withheld_responses: 4, ..exact },
        ] {
            let mut decisions = Vec::new();
            assert_eq!(of(tally(3, 20, 80), &terms, false, &mut decisions), None);
            assert_eq!(decisions.len(), 2, "the steward sees what stays");
        }
    }
}
