//! From images scored for several conditions to patients, and which of them are counted.

use std::collections::{BTreeMap, BTreeSet};

use fedval_disclosure::rules::dc04_unassessed;
use fedval_ingest::Case;
use fedval_study::protocol::{Assessed, Reference};

use crate::class_unit::ClassImage;

/// What the reference standard says of each patient, by all of the cases that it looked at, also those that could not be
/// scored: a condition is there where any image shows it.
pub(crate) fn references(cases: impl IntoIterator<Item = Case>) -> BTreeMap<u32, Assessed> {
    let mut found: BTreeMap<u32, Assessed> = BTreeMap::new();
    for case in cases {
        if let Some(Reference::Conditions(assessed)) = case.reference {
            let known = found.entry(case.patient).or_default();
            *known = known.or(assessed);
        }
    }
    found
}

/// The patients of a study of several conditions who have a scored image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Those who are counted, with what they were assessed for.
    pub(crate) patients: BTreeMap<u32, Assessed>,
    /// Those who are not: they would give away how few lack the reference standard of a condition.
    pub(crate) set_aside: BTreeSet<u32>,
}

/// Sets aside whom [`dc04_unassessed`] does not let be counted.
pub(crate) fn counted(
    images: &[ClassImage],
    references: &BTreeMap<u32, Assessed>,
    conditions: usize,
    k: u64,
) -> Counted {
    let scored: BTreeSet<u32> = images.iter().map(|image| image.patient).collect();
    let known: Vec<(u32, Assessed)> = scored
        .into_iter()
        .filter_map(|patient| Some((patient, *references.get(&patient)?)))
        .collect();
    let assessed: Vec<Assessed> = known.iter().map(|(_, assessed)| *assessed).collect();
    let kept = dc04_unassessed::kept(&assessed, conditions, k);
    let mut counted = Counted { patients: BTreeMap::new(), set_aside: BTreeSet::new() };
    for ((patient, assessed), is_kept) in known.into_iter().zip(kept) {
        if is_kept {
            counted.patients.insert(patient, assessed);
        } else {
            counted.set_aside.insert(patient);
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use fedval_ingest::{Attributes, IndexTest};

    use super::*;

    fn case(patient: u32, assessed: Option<Assessed>) -> Case {
        Case {
            case_id: String::new(),
            patient,
            index_test: IndexTest::Scores(None),
            reference: assessed.map(Reference::Conditions),
            attributes: Attributes::default(),
        }
    }

    fn image(patient: u32) -> ClassImage {
        ClassImage { patient, case: 0, scores: [0.5, 0.5].into() }
    }

    #[test]
    fn a_patient_has_what_any_image_shows_whether_or_not_it_could_be_scored() {
        let nothing = Assessed::default();
        let cases = [
            case(7, Some(nothing.with(0, false))),
            case(7, Some(nothing.with(0, true).with(1, false))),
            case(7, None),
            case(8, None),
        ];
        let found = references(cases);
        assert_eq!(found.len(), 1);
        assert_eq!((found[&7].at(0), found[&7].at(1)), (Some(true), Some(false)));
    }

    #[test]
    fn few_who_lack_a_reference_are_set_aside_and_many_are_counted() {
        let whole = Assessed::default().with(0, true).with(1, false);
        let part = Assessed::default().with(0, false);
        for (lacking, set_aside) in [(3_u32, 3), (11, 0)] {
            let references: BTreeMap<u32, Assessed> =
                (0..60).map(|p| (p, if p < lacking { part } else { whole })).collect();
            // One patient has no scored image.
            let images: Vec<ClassImage> = (0..59).map(image).collect();
            let counted = counted(&images, &references, 2, 11);
            assert_eq!(counted.set_aside.len(), set_aside);
            assert_eq!(counted.patients.len(), 59 - set_aside);
        }
    }
}
