//! Who stands in which cell of an evaluation, under keys that only the site can make.
//!
//! This is what the ledger remembers of a release: enough to tell whether the next one differs from it
//! by a few patients, and of no use to anybody without the site's key. It never leaves the site.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

pub use crate::member_cells::MemberCells;

/// A patient or a case under the site's key.
pub type MemberKey = [u8; 16];

/// A table of a protocol has fewer cells than this; the number itself means: in no listed cell.
pub const UNLISTED: u16 = u16::MAX;

/// Cells of a condition's table, where there are several conditions: there, not there, not assessed.
pub const CONDITION_CELLS: usize = 3;

/// The cell of a patient in the table of a condition.
#[must_use]
pub const fn condition_cell(reference: Option<bool>) -> u16 {
    match reference {
        Some(true) => 0,
        Some(false) => 1,
        None => 2,
    }
}

/// One analysed case under one label: 48 bytes.
///
/// A case of a task with several classes has no such label: it stands under both, in the cell of its class, so that
/// whatever an earlier or a later release says of either label of these patients is held against it. So does one of
/// several conditions, in a cell of each.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    /// Place of the patient in the patients of [`Members`].
    pub patient: u32,
    /// The case under the site's key.
    pub case: MemberKey,
    /// Whether it has the target condition.
    pub positive: bool,
    /// Its cell in each table; [`UNLISTED`] for none.
    pub cells: MemberCells,
}

/// Every analysed case of a cohort. A clone is the same list until one of both is changed: of a large cohort there is one
/// in memory, however many hold it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Members(Arc<Listed>);

/// What [`Members`] list.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Patients under the site's key.
    pub patients: Vec<MemberKey>,
    /// Their cases, each once under each of its labels.
    pub cases: Vec<Member>,
}

impl Deref for Members {
    type Target = Listed;

    fn deref(&self) -> &Listed {
        &self.0
    }
}

impl DerefMut for Members {
    fn deref_mut(&mut self) -> &mut Listed {
        Arc::make_mut(&mut self.0)
    }
}

impl std::fmt::Debug for Members {
    /// Counts only: keys do not belong into logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Members")
            .field("patients", &self.patients.len())
            .field("cases", &self.cases.len())
            .finish()
    }
}

/// The bytes are not members of a cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored members of a cohort are damaged")]
pub struct MembersDamaged;

/// First byte of the stored form.
const FORM: u8 = 1;

impl Members {
    /// These patients, and their cases, each once under each of its labels.
    #[must_use]
    pub fn new(patients: Vec<MemberKey>, cases: Vec<Member>) -> Self {
        Self(Arc::new(Listed { patients, cases }))
    }

    /// The form in which the ledger keeps them: tables, number of cases, then one record a case of
    /// patient, case, label and cells.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.append_to(&mut bytes);
        bytes
    }

    /// Writes the form of [`to_bytes`](Self::to_bytes) behind what stands in `bytes`.
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        let tables = self.cases.first().map_or(0, |case| case.cells.len());
        bytes.reserve_exact(6 + self.cases.len() * (33 + 2 * tables));
        bytes.extend([FORM, u8::try_from(tables).unwrap_or(u8::MAX)]);
        bytes.extend(u32::try_from(self.cases.len()).unwrap_or(u32::MAX).to_le_bytes());
        for case in &self.cases {
            bytes.extend(self.patients.get(case.patient as usize).unwrap_or(&[0; 16]));
            bytes.extend(case.case);
            bytes.push(u8::from(case.positive));
            bytes.extend(case.cells.iter().flat_map(|cell| cell.to_le_bytes()));
        }
    }

    /// Reads the stored form.
    ///
    /// # Errors
    ///
    /// [`MembersDamaged`] for anything that [`to_bytes`](Self::to_bytes) does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MembersDamaged> {
        let [FORM, tables, rest @ ..] = bytes else { return Err(MembersDamaged) };
        let (cases, records) = rest.split_first_chunk::<4>().ok_or(MembersDamaged)?;
        let size = 33 + 2 * usize::from(*tables);
        let expected = usize::try_from(u32::from_le_bytes(*cases)).map(|cases| cases * size);
        if expected != Ok(records.len()) {
            return Err(MembersDamaged);
        }
        let (mut patients, mut members) = (Vec::new(), Vec::with_capacity(records.len() / size));
        let mut places: BTreeMap<MemberKey, u32> = BTreeMap::new();
        for record in records.chunks_exact(size) {
            let (patient, rest) = record.split_first_chunk::<16>().ok_or(MembersDamaged)?;
            let (case, rest) = rest.split_first_chunk::<16>().ok_or(MembersDamaged)?;
            let (positive, cells) = rest.split_first().ok_or(MembersDamaged)?;
            let next = u32::try_from(places.len()).map_err(|_| MembersDamaged)?;
            let place = *places.entry(*patient).or_insert(next);
            if place == next {
                patients.push(*patient);
            }
            members.push(Member {
                patient: place,
                case: *case,
                positive: match positive {
                    0 => false,
                    1 => true,
                    _ => return Err(MembersDamaged),
                },
                cells: cells.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect(),
            });
        }
        Ok(Self::new(patients, members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_read_as_it_was_written_and_nothing_else_is() {
        let case = |patient, key: u8, positive, cells: &[u16]| Member {
            patient,
            case: [key; 16],
            positive,
            cells: cells.into(),
        };
        let cases = vec![
            case(0, 1, true, &[0, UNLISTED]),
            case(0, 2, false, &[1, 3]),
            case(1, 3, true, &[0, 300]),
        ];
        let members = Members::new(vec![[7; 16], [8; 16]], cases);
        let bytes = members.to_bytes();
        assert_eq!(Members::from_bytes(&bytes), Ok(members));
        for bad in [&bytes[..bytes.len() - 1], &bytes[1..], &[]] {
            assert_eq!(Members::from_bytes(bad), Err(MembersDamaged));
        }
        assert_eq!(Members::from_bytes(&Members::default().to_bytes()), Ok(Members::default()));
    }

    #[test]
    fn a_clone_is_no_second_list_until_it_is_changed() {
        assert_eq!(size_of::<Member>(), 48);
        let one = Members::new(vec![[7; 16]], Vec::new());
        let mut other = one.clone();
        assert!(std::ptr::eq(one.patients.as_ptr(), other.patients.as_ptr()));
        other.patients.push([8; 16]);
        assert_eq!((one.patients.len(), other.patients.len()), (1, 2));
    }

    #[test]
    fn debug_shows_no_key() {
        let members = Members::new(vec![[0xab; 16]], Vec::new());
        assert!(!format!("{members:?}").contains("171"), "{members:?}");
    }
}
