//! Who stands in which cell, for the ledger of this site.

use fedval_ingest::Cohort;
use fedval_study::Members;
use fedval_study::members::{Member, MemberCells, MemberKey};
use fedval_study::protocol::StudyProtocol;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::category_sets::CategorySets;
use crate::cells::Cells;
use crate::unit::Units;

/// Every analysed case, under keys that nobody without the site's secret can make.
pub(crate) fn members(
    protocol: &StudyProtocol,
    cohort: &Cohort,
    (units, sets): (&Units, &CategorySets),
    secret: &[u8; 32],
) -> Members {
    let cells = Cells::of(protocol);
    let keys = Keys::of(secret);
    let (mut patients, mut cases) = (Vec::new(), Vec::with_capacity(units.cases.cases()));
    // Of each of the cohort's patients the place among the members.
    let mut places = vec![None; cohort.patients()];
    for (unit, own) in units.analysed.iter().zip(units.cases.units()) {
        let Some(id) = cohort.patient_id(unit.patient) else { continue };
        let patient = *places[unit.patient as usize].get_or_insert_with(|| {
            patients.push(keys.patient(id));
            u32::try_from(patients.len() - 1).unwrap_or(u32::MAX)
        });
        let cells: MemberCells = cells.with(sets.get(unit.categories)).into();
        for case_id in own.iter().filter_map(|case| cohort.case_id(*case as usize)) {
            let (case, positive) = (keys.case(id, case_id), unit.positive);
            cases.push(Member { patient, case, positive, cells: cells.clone() });
        }
    }
    Members::new(patients, cases)
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
