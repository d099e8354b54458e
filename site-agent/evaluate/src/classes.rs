//! The aggregates of patients of several classes, and who they are.

use fedval_ingest::Cohort;
use fedval_stats::multiclass::{ClassScores, OneVersusRestSums};
use fedval_study::classes::ClassAreas;
use fedval_study::members::{Member, MemberCells};
use fedval_study::protocol::Task;
use fedval_study::{ClassPerformance, Members};
use ndarray::Array2;

use crate::class_unit::ClassUnit;
use crate::members::Keys;

/// What a site says of its patients; `None` of too few for any area.
pub(crate) fn performance(units: &[ClassUnit], task: &Task) -> Option<ClassPerformance> {
    if units.is_empty() {
        return None;
    }
    let classes = task.classes().len();
    let mut confusion = vec![vec![0; classes]; classes];
    for unit in units {
        confusion[usize::from(unit.class)][usize::from(unit.called)] += 1;
    }
    let areas = match task {
        Task::MultiClass(_) => Some(Box::new(ClassAreas::of(&sums(units, classes)?).ok()?)),
        Task::Binary
        | Task::MultiLabel(_)
        | Task::Ordinal(_)
        | Task::Regression(_)
        | Task::Detection(_)
        | Task::Segmentation(_) => None,
    };
    Some(ClassPerformance { areas, confusion })
}

fn sums(units: &[ClassUnit], classes: usize) -> Option<OneVersusRestSums> {
    let keys = Array2::from_shape_fn((units.len(), classes), |(unit, class)| {
        i64::from(units[unit].scores[class].steps())
    });
    let class = units.iter().map(|unit| usize::from(unit.class)).collect();
    ClassScores::new(class, keys).ok().map(|scores| OneVersusRestSums::of(&scores))
}

/// Every analysed case in the cell of its class, under both labels: what any other release says of either label of
/// these patients is held against it.
pub(crate) fn members(cohort: &Cohort, units: &[ClassUnit], secret: &[u8; 32]) -> Members {
    let keys = Keys::of(secret);
    let mut members = Members::default();
    for (patient, unit) in (0_u32..).zip(units) {
        let id = cohort.patient_id(unit.patient).unwrap_or_default();
        members.patients.push(keys.patient(id));
        for case_id in unit.cases.iter().filter_map(|case| cohort.case_id(*case as usize)) {
            let key = keys.case(id, case_id);
            let cells = MemberCells::from([u16::from(unit.class)]);
            members.cases.extend([false, true].map(|positive| Member {
                patient,
                case: key,
                positive,
                cells: cells.clone(),
            }));
        }
    }
    members
}
