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
        let mut cases: HashMap<MemberKey, Gathered> = HashMap::new();
        let mut known: HashMap<MemberKey, u32> = HashMap::new();
        for (release, footprint) in (0_u32..).zip(releases) {
            let members = &footprint.members;
            for case in members.cases.iter().filter(|case| label.is_of(case.positive)) {
                let Some(patient) = members.patients.get(case.patient as usize) else { continue };
                let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
                let patient = *known.entry(*patient).or_insert(next);
                let gathered = cases.entry(case.case).or_default();
                gathered.patient = patient;
                gathered.rows.push((release, Row::Whole));
                for (table, cell) in case.cells.iter().enumerate() {
                    if *cell != UNLISTED {
                        let cell = usize::from(*cell);
                        gathered.rows.push((release, Row::Cell { table, cell }));
                    }
                }
            }
        }
        let mut population =
            Self { patients: Vec::new(), rows: releases.iter().map(|_| HashMap::new()).collect() };
        let mut atoms: HashMap<Vec<(u32, Row)>, usize> = HashMap::new();
        // By key, so that the same cohorts give the same atoms in the same order.
        let mut ordered: Vec<(MemberKey, Gathered)> = cases.into_iter().collect();
        ordered.sort_unstable_by_key(|(key, _)| *key);
        for (_, gathered) in ordered {
            let atom = match atoms.get(&gathered.rows) {
                Some(atom) => *atom,
                None => population.open(&mut atoms, gathered.rows),
            };
            population.patients[atom].insert(gathered.patient);
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

/// A case with the rows that it stands in, in order of releases.
#[derive(Default)]
struct Gathered {
    patient: u32,
    rows: Vec<(u32, Row)>,
}
