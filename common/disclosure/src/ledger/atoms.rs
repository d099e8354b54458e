//! Patients of one label, gathered into atoms: those who stand in exactly the same rows.
//!
//! No row, shown or hidden, tells members of an atom apart, so every row is a sum over atoms, and asking
//! whether something follows from rows is asking whether its indicator lies in their span.

use std::collections::{BTreeSet, HashMap};

use fedval_study::members::{MemberKey, UNLISTED};

use super::{Footprint, Row};

/// With or without the target condition: the two never mix, since each is released by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Positive,
    Negative,
}

impl Label {
    pub(crate) const BOTH: [Self; 2] = [Self::Positive, Self::Negative];

    pub(crate) fn is_of(self, positive: bool) -> bool {
        (self == Self::Positive) == positive
    }
}

/// Atoms of one label over several releases.
pub(crate) struct Population {
    /// Distinct patients of each atom.
    pub(crate) patients: Vec<BTreeSet<u32>>,
    /// For each release, its rows as sets of atoms, those of nobody left out.
    pub(crate) rows: Vec<HashMap<Row, Vec<u32>>>,
}

impl Population {
    /// Gathers the cases of one label of every release, shown cells and others.
    pub(crate) fn new(releases: &[&Footprint], label: Label) -> Self {
        let known = Known::of(releases);
        let mut population =
            Self { patients: Vec::new(), rows: releases.iter().map(|_| HashMap::new()).collect() };
        let mut atoms: HashMap<Vec<(u32, Row)>, usize> = HashMap::new();
        let mut rows = Vec::new();
        for places in by_key(releases, label).chunk_by(|one, other| one.key == other.key) {
            rows.clear();
            let mut patient = None;
            for Place { release, case, .. } in places {
                let members = &releases[*release as usize].members;
                let case = &members.cases[*case as usize];
                let Some(key) = members.patients.get(case.patient as usize) else { continue };
                patient = Some(known.number(key));
                add_rows(&mut rows, *release, &case.cells);
            }
            let Some(patient) = patient else { continue };
            let atom = match atoms.get(&rows) {
                Some(atom) => *atom,
                None => population.open(&mut atoms, rows.clone()),
            };
            population.patients[atom].insert(patient);
        }
        population
    }

    fn open(
        &mut self,
        atoms: &mut HashMap<Vec<(u32, Row)>, usize>,
        rows: Vec<(u32, Row)>,
    ) -> usize {
        let atom = self.patients.len();
        self.patients.push(BTreeSet::new());
        let number = u32::try_from(atom).unwrap_or(u32::MAX);
        for (release, row) in &rows {
            self.rows[*release as usize].entry(*row).or_default().push(number);
        }
        atoms.insert(rows, atom);
        atom
    }

    /// The atoms of a row; none where nobody of this label stands in it.
    pub(crate) fn row(&self, release: usize, row: Row) -> &[u32] {
        self.rows[release].get(&row).map_or(&[], Vec::as_slice)
    }

    /// The atoms of a release that stand in no listed cell of a table.
    pub(crate) fn unlisted(&self, release: usize, table: usize) -> Vec<u32> {
        let mut listed: BTreeSet<u32> = BTreeSet::new();
        for (row, atoms) in &self.rows[release] {
            if matches!(row, Row::Cell { table: of, .. } if *of == table) {
                listed.extend(atoms);
            }
        }
        let whole = self.row(release, Row::Whole).iter();
        whole.filter(|atom| !listed.contains(atom)).copied().collect()
    }

    /// Distinct patients of some atoms, counted up to `enough`.
    pub(crate) fn distinct(&self, atoms: &[u32], enough: u64) -> u64 {
        let mut seen = BTreeSet::new();
        for atom in atoms {
            for patient in &self.patients[*atom as usize] {
                seen.insert(patient);
                if seen.len() as u64 >= enough {
                    return enough;
                }
            }
        }
        seen.len() as u64
    }
}

/// Where a case stands in a release.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    key: MemberKey,
    release: u32,
    case: u32,
}

/// The cases of one label of all releases: by key, so that the same cohorts give the same atoms in the same order, and those
/// of one key in that of releases. Places are sorted and no case is copied: there may be a million.
fn by_key(releases: &[&Footprint], label: Label) -> Vec<Place> {
    let of_label = |footprint: &Footprint| {
        footprint.members.cases.iter().filter(|case| label.is_of(case.positive)).count()
    };
    let count = releases.iter().map(|footprint| of_label(footprint)).sum();
    let mut places = Vec::with_capacity(count);
    for (release, footprint) in (0_u32..).zip(releases) {
        for (place, case) in (0_u32..).zip(&footprint.members.cases) {
            if label.is_of(case.positive) {
                places.push(Place { key: case.case, release, case: place });
            }
        }
    }
    places.sort_unstable();
    places
}

/// Patients of all releases.
struct Known(Vec<MemberKey>);

impl Known {
    fn of(releases: &[&Footprint]) -> Self {
        let patients = releases.iter().flat_map(|footprint| &footprint.members.patients);
        let mut patients: Vec<MemberKey> = patients.copied().collect();
        patients.sort_unstable();
        patients.dedup();
        Self(patients)
    }

    /// The number of a patient, another for each.
    fn number(&self, patient: &MemberKey) -> u32 {
        let place = self.0.partition_point(|known| known < patient);
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}

/// Adds the rows that a case stands in.
fn add_rows(rows: &mut Vec<(u32, Row)>, release: u32, cells: &[u16]) {
    rows.push((release, Row::Whole));
    for (table, cell) in cells.iter().enumerate().filter(|(_, cell)| **cell != UNLISTED) {
        rows.push((release, Row::Cell { table, cell: usize::from(*cell) }));
    }
}

#[cfg(test)]
mod tests {
    use fedval_study::Members;
    use fedval_study::members::Member;

    use super::*;

    fn footprint(cases: &[(u8, u8, bool, [u16; 2])]) -> Footprint {
        let mut members = Members::default();
        for (patient, case, positive, cells) in cases {
            let known = members.patients.iter().position(|known| *known == [*patient; 16]);
            let place = known.unwrap_or_else(|| {
                members.patients.push([*patient; 16]);
                members.patients.len() - 1
            });
            members.cases.push(Member {
                patient: u32::try_from(place).unwrap(),
                case: [*case; 16],
                positive: *positive,
                cells: (*cells).into(),
            });
        }
        Footprint { members, shown: vec![vec![true; 2]; 2], noisy: false }
    }

    #[test]
    fn who_stands_in_the_same_rows_of_all_releases_is_one_atom_in_the_order_of_keys() {
        // Cases 1 and 4 are alike in both releases; patient 9 has two cases.
        let one = footprint(&[
            (9, 4, true, [0, 1]),
            (9, 1, true, [0, 1]),
            (3, 2, true, [1, UNLISTED]),
            (5, 7, false, [0, 0]),
        ]);
        let other = footprint(&[(3, 2, true, [1, 1]), (8, 5, true, [0, 0])]);
        let population = Population::new(&[&one, &other], Label::Positive);
        let sizes: Vec<usize> = population.patients.iter().map(BTreeSet::len).collect();
        assert_eq!(sizes, [1, 1, 1], "cases 1 and 4, case 2, case 5");
        assert_eq!(population.row(0, Row::Whole), [0, 1]);
        assert_eq!(population.row(1, Row::Whole), [1, 2]);
        assert_eq!(population.row(0, Row::Cell { table: 0, cell: 0 }), [0]);
        assert_eq!(population.unlisted(0, 1), [1]);
        assert_eq!(population.distinct(&[0, 1, 2], 10), 3);
        assert_eq!(Population::new(&[&one], Label::Negative).patients.len(), 1);
    }
}
