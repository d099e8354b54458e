//! From units to the summary that the gate looks at.

use std::collections::BTreeSet;

use fedval_study::protocol::{StudyProtocol, Table};
use fedval_study::summary::{
    BinaryFindings, DimensionSummary, FailureReason, Findings, GroupSummary, Leaf,
};
use fedval_study::{CohortCommitment, Members, SiteSummary};

use crate::category_sets::CategorySets;
use crate::cells::cell;
use crate::performance::{
    Clusters, histogram, most_cases, patient_counts, patients_with_several, performance,
    two_largest_brier,
};
use crate::unit::AnalysedUnit;

/// Counts everything that the protocol names.
pub(crate) fn summarise(
    protocol: &StudyProtocol,
    cohort: CohortCommitment,
    (units, sets): (&[AnalysedUnit], &CategorySets),
    failures: Vec<BTreeSet<FailureReason>>,
    members: Members,
) -> SiteSummary {
    let all: Vec<&AnalysedUnit> = units.iter().collect();
    let tables = protocol.tables();
    SiteSummary {
        cohort,
        failures,
        findings: Findings::Binary(BinaryFindings {
            overall: group_summary(&all, protocol),
            dimensions: tables
                .iter()
                .map(|table| table_summary(protocol, (table, &tables), &all, sets))
                .collect(),
        }),
        members,
    }
}

fn table_summary(
    protocol: &StudyProtocol,
    (table, tables): (&Table, &[Table]),
    units: &[&AnalysedUnit],
    sets: &CategorySets,
) -> DimensionSummary {
    // The last leaf is of units with a missing or unlisted attribute.
    let unlisted = table.categories.len();
    let mut members: Vec<Vec<&AnalysedUnit>> = vec![Vec::new(); unlisted + 1];
    for unit in units {
        let categories = sets.get(unit.categories);
        members[cell(table, tables, categories).unwrap_or(unlisted)].push(unit);
    }
    let leaf = |(place, members): (usize, Vec<&AnalysedUnit>)| Leaf {
        category: table.categories.get(place).cloned(),
        patients: patient_counts(&members),
        group: group_summary(&members, protocol),
    };
    let leaves = members.into_iter().enumerate().map(leaf).collect();
    DimensionSummary { dimension: table.name.clone(), leaves }
}

/// Both forms of a group; `None` for an empty one.
fn group_summary(units: &[&AnalysedUnit], protocol: &StudyProtocol) -> Option<GroupSummary> {
    Some(GroupSummary {
        patients_with_several: patients_with_several(units),
        by_patient: performance(units, protocol, Clusters::Patients)?,
        by_case: performance(units, protocol, Clusters::Cases)?,
        most_cases: most_cases(units),
        two_largest_brier_pico: two_largest_brier(units),
        histogram: histogram(units, protocol),
    })
}
