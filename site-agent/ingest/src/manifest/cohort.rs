//! The cases of a site, in memory.

use std::fmt;
use std::path::Path;

use fedval_study::protocol::Reference;

use super::Case;
use super::blocks::Texts;
use super::packed::PackedCases;

/// The cases of a site, in the manifest's order, and its patients.
///
/// A row of a prediction table takes some 35 bytes, and the id of its patient four more than its length. So a case is
/// made anew each time that it is asked for.
#[derive(Clone)]
pub struct Cohort {
    cases: PackedCases,
    /// The site's identifier of each patient, by the number that cases carry.
    patient_ids: Texts,
    /// Attributes that the protocol names and this site has no column for: missing in every case.
    pub unrecorded: Vec<String>,
}

impl Cohort {
    /// Of these cases, and of patients by the numbers that cases carry.
    #[must_use]
    pub fn new(
        cases: impl IntoIterator<Item = Case>,
        patient_ids: impl IntoIterator<Item = String>,
        unrecorded: Vec<String>,
    ) -> Self {
        let mut cohort = Self::below(Path::new(""), unrecorded);
        cases.into_iter().for_each(|case| cohort.push(&case));
        for id in patient_ids {
            cohort.push_patient(&id);
        }
        cohort
    }

    /// Without a case yet. Images of most will be below `root`.
    pub(super) fn below(root: &Path, unrecorded: Vec<String>) -> Self {
        Self { cases: PackedCases::below(root), patient_ids: Texts::default(), unrecorded }
    }

    pub(super) fn push(&mut self, case: &Case) {
        self.cases.push(case);
    }

    pub(super) fn push_patient(&mut self, id: &str) {
        self.patient_ids.push(id);
    }

    /// How many cases there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there is no case.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.cases.len() == 0
    }

    /// The case at a place in the manifest, counted from 0; `None` behind the last.
    #[must_use]
    pub fn case(&self, place: usize) -> Option<Case> {
        self.cases.get(place)
    }

    /// Every case, one after the other.
    pub fn cases(&self) -> impl Iterator<Item = Case> {
        (0..self.len()).filter_map(|place| self.case(place))
    }

    /// What identifies the case at a place.
    #[must_use]
    pub fn case_id(&self, place: usize) -> Option<&str> {
        self.cases.case_id(place)
    }

    /// The number of the patient of the case at a place.
    #[must_use]
    pub fn patient(&self, place: usize) -> Option<u32> {
        self.cases.patient(place)
    }

    /// What the reference standard says of the case at a place; `None` where it is missing, and behind the last case.
    #[must_use]
    pub fn reference(&self, place: usize) -> Option<Reference> {
        self.cases.reference(place)
    }

    /// How many patients there are.
    #[must_use]
    pub const fn patients(&self) -> usize {
        self.patient_ids.len()
    }

    /// The site's identifier of the patient with a number.
    #[must_use]
    pub fn patient_id(&self, patient: u32) -> Option<&str> {
        self.patient_ids.get(patient as usize)
    }

    /// The site's identifier of each patient, by the number that cases carry.
    pub fn patient_ids(&self) -> impl Iterator<Item = &str> {
        self.patient_ids.all()
    }
}

impl PartialEq for Cohort {
    fn eq(&self, other: &Self) -> bool {
        self.cases().eq(other.cases())
            && self.patient_ids().eq(other.patient_ids())
            && self.unrecorded == other.unrecorded
    }
}

impl fmt::Debug for Cohort {
    /// Shows sizes only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cohort({} cases, {} patients)", self.len(), self.patients())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Attributes, IndexTest};

    fn case(number: u32) -> Case {
        Case {
            case_id: format!("c{number}"),
            patient: number / 2,
            index_test: IndexTest::Score(Some(0.5)),
            reference: Some(Reference::Condition(number.is_multiple_of(3))),
            attributes: Attributes::default(),
        }
    }

    fn cohort(cases: u32) -> Cohort {
        let patients = (0..cases.div_ceil(2)).map(|patient| format!("p{patient}"));
        Cohort::new((0..cases).map(case), patients, vec!["sex".to_owned()])
    }

    #[test]
    fn every_case_is_there_with_its_patient_and_none_behind_the_last() {
        let cohort = cohort(2_500);
        assert_eq!((cohort.len(), cohort.patients(), cohort.is_empty()), (2_500, 1_250, false));
        assert_eq!(cohort.cases().count(), 2_500);
        for place in [0, 1_023, 1_024, 2_499] {
            let own = case(u32::try_from(place).unwrap());
            assert!(cohort.case(place).as_ref() == Some(&own));
            assert_eq!(cohort.case_id(place), Some(own.case_id.as_str()));
            assert!(cohort.reference(place) == own.reference);
            let patient = cohort.patient(place).unwrap();
            assert_eq!(cohort.patient_id(patient), Some(format!("p{}", place / 2).as_str()));
        }
        assert!(cohort.case(2_500).is_none() && cohort.reference(2_500).is_none());
        assert_eq!((cohort.patient(2_500), cohort.patient_id(1_250)), (None, None));
    }

    #[test]
    fn cohorts_are_equal_where_all_of_them_is() {
        let one = cohort(3);
        assert!(one == cohort(3) && one != cohort(4));
        let others = [
            Cohort::new((0..3).map(case), one.patient_ids().map(str::to_owned), Vec::new()),
            Cohort::new((0..3).map(case), ["p0".to_owned()], one.unrecorded.clone()),
            Cohort::new(
                (1..4).map(case),
                one.patient_ids().map(str::to_owned),
                one.unrecorded.clone(),
            ),
        ];
        assert!(others.iter().all(|other| *other != one));
    }

    #[test]
    fn debug_shows_sizes_only() {
        assert_eq!(format!("{:?}", cohort(3)), "Cohort(3 cases, 2 patients)");
    }
}
