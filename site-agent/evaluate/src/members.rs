//! Who stands in which cell, for the ledger of this site.

use std::collections::BTreeMap;

use fedval_ingest::Cohort;
use fedval_study::members::{Member, MemberKey, UNLISTED};
use fedval_study::protocol::{StudyProtocol, Table, TableKind};
use fedval_study::{Members, Name};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::unit::AnalysedUnit;

/// Every analysed case, under keys that nobody without the site's secret can make.
pub(crate) fn members(
    protocol: &StudyProtocol,
    cohort: &Cohort,
    units: &[AnalysedUnit],
    secret: &[u8; 32],
) -> Members {
    let cells = Cells::of(protocol);
    let keys = Keys::of(secret);
    let mut members = Members::default();
    let mut places: BTreeMap<u32, u32> = BTreeMap::new();
    for unit in units {
        let Some(id) = cohort.patient_ids.get(unit.patient as usize) else { continue };
        let next = u32::try_from(members.patients.len()).unwrap_or(u32::MAX);
        let patient = *places.entry(unit.patient).or_insert(next);
        if patient == next {
            members.patients.push(keys.patient(id));
        }
        let cells = cells.with(&unit.categories);
        for case in &unit.cases {
            let Some(case) = cohort.cases.get(*case) else { continue };
            members.cases.push(Member {
                patient,
                case: keys.case(id, &case.case_id),
                positive: unit.positive,
                cells: cells.clone(),
            });
        }
    }
    members
}

/// Where the categories of a unit put it.
pub(crate) struct Cells<'p> {
    pub(crate) tables: Vec<Table>,
    names: Vec<Vec<&'p Name>>,
}

impl<'p> Cells<'p> {
    pub(crate) fn of(protocol: &'p StudyProtocol) -> Self {
        let names = protocol.subgroups.iter().map(|d| d.category_names()).collect();
        Self { tables: protocol.tables(), names }
    }

    /// The cell in each table; [`UNLISTED`] for none.
    pub(crate) fn with(&self, categories: &[Option<Name>]) -> Vec<u16> {
        let by_dimension: Vec<Option<usize>> = self
            .names
            .iter()
            .zip(categories)
            .map(|(names, own)| names.iter().position(|name| Some(*name) == own.as_ref()))
            .collect();
        self.tables.iter().map(|table| cell(table, &self.tables, &by_dimension)).collect()
    }
}

fn cell(table: &Table, tables: &[Table], by_dimension: &[Option<usize>]) -> u16 {
    let of = |dimension: usize| by_dimension.get(dimension).copied().flatten();
    let cell = match table.kind {
        TableKind::OneWay(dimension) => of(dimension),
        TableKind::Crossing { rows, columns } => {
            let wide = tables[columns].categories.len();
            of(rows).zip(of(columns)).map(|(row, column)| row * wide + column)
        }
    };
    cell.and_then(|cell| u16::try_from(cell).ok()).unwrap_or(UNLISTED)
}

/// Keys of patients and cases, by HMAC-SHA-256 cut to 128 bits.
pub(crate) struct Keys<'s>(&'s [u8; 32]);

impl<'s> Keys<'s> {
    pub(crate) const fn of(secret: &'s [u8; 32]) -> Self {
        Self(secret)
    }

    pub(crate) fn patient(&self, id: &str) -> MemberKey {
        self.key("patient", &[id])
    }

    pub(crate) fn case(&self, patient: &str, case: &str) -> MemberKey {
        self.key("case", &[patient, case])
    }

    fn key(&self, what: &str, parts: &[&str]) -> MemberKey {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0).expect("HMAC takes a key of any length");
        // Debug quotes and escapes, so that no two different lists look alike.
        mac.update(format!("{what} {parts:?}").as_bytes());
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        std::array::from_fn(|index| bytes[index])
    }
}
