//! By how many patients of one label two rows differ.

use std::collections::BTreeMap;

use fedval_study::Members;
use fedval_study::members::{MemberKey, UNLISTED};

use super::atoms::Label;
use super::{Footprint, Row};

/// The rows of one release, numbered: the whole, then cell by cell.
struct Numbered {
    first: Vec<usize>,
    len: usize,
}

impl Numbered {
    fn new(shown: &[Vec<bool>]) -> Self {
        let mut len = 1;
        let first = shown
            .iter()
            .map(|cells| {
                len += cells.len();
                len - cells.len()
            })
            .collect();
        Self { first, len }
    }

    fn number(&self, row: Row) -> usize {
        match row {
            Row::Whole => 0,
            Row::Cell { table, cell } => self.first[table] + cell,
        }
    }

    /// The numbers of the rows that a case stands in.
    fn of_case<'a>(&'a self, cells: &'a [u16]) -> impl Iterator<Item = usize> + 'a {
        let cells = cells.iter().enumerate().filter(|(_, cell)| **cell != UNLISTED);
        std::iter::once(0).chain(cells.map(|(table, cell)| self.first[table] + usize::from(*cell)))
    }
}

/// Symmetric differences, in patients, of the rows of one release and those of another.
pub(crate) struct Differences {
    left: Numbered,
    right: Numbered,
    left_patients: Vec<u32>,
    right_patients: Vec<u32>,
    /// For each pair of rows, patients in both, and once more those with the same cases in both.
    both: Vec<u32>,
}

impl Differences {
    /// Compares the rows of `left` with those of `right`.
    pub(crate) fn new(left: &Footprint, right: &Footprint, label: Label) -> Self {
        let (l, r) = (Numbered::new(&left.shown), Numbered::new(&right.shown));
        let mut differences = Self {
            left_patients: vec![0; l.len],
            right_patients: vec![0; r.len],
            both: vec![0; l.len * r.len],
            left: l,
            right: r,
        };
        let right = ByPatient::of(right, label);
        for (patient, own) in ByPatient::of(left, label).patients() {
            differences.add(&own, &right.cases_of(patient));
        }
        for (_, cases) in right.patients() {
            for row in rows(&differences.right, &cases).keys() {
                differences.right_patients[*row] += 1;
            }
        }
        differences
    }

    fn add(&mut self, left: &[Case<'_>], right: &[Case<'_>]) {
        let (in_left, in_right) = (rows(&self.left, left), rows(&self.right, right));
        for row in in_left.keys() {
            self.left_patients[*row] += 1;
        }
        let width = self.right.len;
        for (row, cases) in &in_left {
            for (other, others) in &in_right {
                self.both[row * width + other] += 1 + u32::from(cases == others);
            }
        }
    }

    /// Patients whose share in one row is not their share in the other; `None` where no patient
    /// stands in both.
    pub(crate) fn between(&self, left: Row, right: Row) -> Option<u64> {
        let (left, right) = (self.left.number(left), self.right.number(right));
        let both = self.both[left * self.right.len + right];
        let all = u64::from(self.left_patients[left]) + u64::from(self.right_patients[right]);
        (both > 0).then(|| all - u64::from(both))
    }
}

/// A case's key and cells.
type Case<'a> = (&'a MemberKey, &'a [u16]);

/// The cases of one label of a footprint, patient by patient: places are sorted and no case is copied, as there may be a
/// million.
struct ByPatient<'a> {
    members: &'a Members,
    /// Each case's patient and its own place.
    places: Vec<(&'a MemberKey, u32)>,
}

impl<'a> ByPatient<'a> {
    fn of(footprint: &'a Footprint, label: Label) -> Self {
        let members = &footprint.members;
        let of_label = (0_u32..).zip(&members.cases).filter(|(_, case)| label.is_of(case.positive));
        let places = of_label.filter_map(|(place, case)| {
            Some((members.patients.get(case.patient as usize)?, place))
        });
        let mut places: Vec<(&MemberKey, u32)> = places.collect();
        places.sort_unstable();
        Self { members, places }
    }

    /// Every patient with all cases.
    fn patients(&self) -> impl Iterator<Item = (&'a MemberKey, Vec<Case<'a>>)> {
        let of_patient = self.places.chunk_by(|one, other| one.0 == other.0);
        of_patient.map(|places| (places[0].0, self.cases(places)))
    }

    /// The cases of a patient; none of one who is not there.
    fn cases_of(&self, patient: &MemberKey) -> Vec<Case<'a>> {
        let start = self.places.partition_point(|(known, _)| *known < patient);
        let own = self.places[start..].chunk_by(|one, other| one.0 == other.0).next();
        own.filter(|own| own[0].0 == patient).map_or_else(Vec::new, |own| self.cases(own))
    }

    fn cases(&self, places: &[(&'a MemberKey, u32)]) -> Vec<Case<'a>> {
        let case = |(_, place): &(&'a MemberKey, u32)| -> Case<'a> {
            let case = &self.members.cases[*place as usize];
            (&case.case, case.cells.as_slice())
        };
        places.iter().map(case).collect()
    }
}

/// The rows of one patient's cases, each with the cases in it.
fn rows<'a>(numbered: &Numbered, cases: &[Case<'a>]) -> BTreeMap<usize, Vec<&'a MemberKey>> {
    let mut found: BTreeMap<usize, Vec<&MemberKey>> = BTreeMap::new();
    for (key, cells) in cases {
        for row in numbered.of_case(cells) {
            found.entry(row).or_default().push(key);
        }
    }
    for cases in found.values_mut() {
        cases.sort_unstable();
    }
    found
}
