//! Patients who were measured: sums of each group, and who is in it.

use std::collections::BTreeMap;

use fedval_ingest::Cohort;
use fedval_stats::aggregate::Moments;
use fedval_study::Members;
use fedval_study::members::{Member, MemberCells, UNLISTED};
use fedval_study::protocol::StudyProtocol;
use fedval_study::summary::{MeasureFindings, MeasureGroup, MeasureSums};

use crate::cells::Cells;
use crate::members::Keys;

/// Units of 10⁻⁶ in one.
const MICRO: f64 = 1e6;

/// One patient with a value of each measure of the task.
#[derive(Debug, Clone)]
pub(crate) struct MeasuredUnit {
    pub(crate) patient: u32,
    /// The cases that it was made of.
    pub(crate) cases: Vec<u32>,
    /// In the order of the task's measures and between their bounds, in 10⁻⁶.
    pub(crate) values: Vec<i64>,
    pub(crate) categories: Vec<Option<u16>>,
}

/// Sums over all patients and over each cell of each table.
pub(crate) fn findings(protocol: &StudyProtocol, units: &[MeasuredUnit]) -> MeasureFindings {
    let measures = protocol.task.measures().len();
    let cells = Cells::of(protocol);
    let mut by_cell: BTreeMap<(usize, u16), Vec<&MeasuredUnit>> = BTreeMap::new();
    for unit in units {
        let listed = cells.with(&unit.categories).into_iter().enumerate();
        for place in listed.filter(|(_, cell)| *cell != UNLISTED) {
            by_cell.entry(place).or_default().push(unit);
        }
    }
    let of_cell = |table: usize, cell: usize| {
        let cell = u16::try_from(cell).ok()?;
        by_cell.get(&(table, cell)).and_then(|units| group(units, measures))
    };
    let tables = cells.tables.iter().enumerate();
    MeasureFindings {
        empty_masks: None,
        overall: group(&units.iter().collect::<Vec<_>>(), measures),
        tables: tables
            .map(|(place, table)| {
                (0..table.categories.len()).map(|cell| of_cell(place, cell)).collect()
            })
            .collect(),
    }
}

/// `None` of nobody.
fn group(units: &[&MeasuredUnit], measures: usize) -> Option<MeasureGroup> {
    if units.is_empty() {
        return None;
    }
    let of = |measure: usize| {
        let values: Vec<i64> =
            units.iter().filter_map(|unit| unit.values.get(measure).copied()).collect();
        sums(&values)
    };
    Some(MeasureGroup {
        patients: u64::try_from(units.len()).ok()?,
        measures: (0..measures).map(of).collect::<Option<_>>()?,
    })
}

fn sums(values: &[i64]) -> Option<MeasureSums> {
    let moments = Moments::of(values.iter().map(|value| in_units(*value))).ok()?;
    let (mut largest, mut second, mut all) = (0_u64, 0_u64, 0_u128);
    for size in values.iter().map(|value| value.unsigned_abs()) {
        all = all.saturating_add(u128::from(size));
        if size > largest {
            (largest, second) = (size, largest);
        } else if size > second {
            second = size;
        }
    }
    Some(MeasureSums {
        moments,
        two_largest_micro: largest.saturating_add(second),
        sizes_micro: all,
    })
}

#[expect(clippy::cast_precision_loss, reason = "bounds are below 2⁵³")]
fn in_units(micro: i64) -> f64 {
    micro as f64 / MICRO
}

/// Every analysed case under both labels: what any other release says of either label of these patients is held
/// against it.
pub(crate) fn members(
    protocol: &StudyProtocol,
    cohort: &Cohort,
    units: &[MeasuredUnit],
    secret: &[u8; 32],
) -> Members {
    let (cells, keys) = (Cells::of(protocol), Keys::of(secret));
    let mut members = Members::default();
    for (patient, unit) in (0_u32..).zip(units) {
        let id = cohort.patient_id(unit.patient).unwrap_or_default();
        members.patients.push(keys.patient(id));
        let own: MemberCells = cells.with(&unit.categories).into();
        for case_id in unit.cases.iter().filter_map(|case| cohort.case_id(*case as usize)) {
            let key = keys.case(id, case_id);
            members.cases.extend([false, true].map(|positive| Member {
                patient,
                case: key,
                positive,
                cells: own.clone(),
            }));
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_hold_the_two_largest_whatever_their_sign() {
        let sums = sums(&[-7_000_000, 3_000_000, 5_000_000, -1_000_000]).unwrap();
        assert_eq!((sums.two_largest_micro, sums.sizes_micro), (12_000_000, 16_000_000));
        assert!(sums.moments.mean().unwrap().abs() < 1e-12);
        // (49 + 9 + 25 + 1) / 3
        assert!((sums.moments.sd().unwrap() - 28.0_f64.sqrt()).abs() < 1e-9);
        assert_eq!(group(&[], 3), None);
    }
}
