//! From units to the summary that the gate looks at.

use std::collections::BTreeSet;

use fedval_study::protocol::{StudyProtocol, Table, TableKind};
use fedval_study::summary::{
    BinaryFindings, DimensionSummary, FailureReason, Findings, GroupSummary, Leaf,
};
use fedval_study::{CohortCommitment, Members, Name, SiteSummary};

use crate::performance::{
    Clusters, histogram, most_cases, patient_counts, patients_with_several, performance,
    two_largest_brier,
};
use crate::unit::AnalysedUnit;

/// Counts everything that the protocol names.
pub(crate) fn summarise(
    protocol: &StudyProtocol,
    cohort: CohortCommitment,
    units: &[AnalysedUnit],
    failures: Vec<BTreeSet<FailureReason>>,
    members: Members,
) -> SiteSummary {
    let all: Vec<&AnalysedUnit> = units.iter().collect();
    SiteSummary {
        cohort,
        failures,
        findings: Findings::Binary(BinaryFindings {
            overall: group_summary(&all, protocol),
            dimensions: protocol
                .tables()
                .iter()
                .map(|table| table_summary(protocol, table, &all))
                .collect(),
        }),
        members,
    }
}

fn table_summary(
    protocol: &StudyProtocol,
    table: &Table,
    units: &[&AnalysedUnit],
) -> DimensionSummary {
    let leaf = |category: Option<&Name>| {
        let members: Vec<&AnalysedUnit> = units
            .iter()
            .copied()
            .filter(|unit| cell_of(table, unit).as_ref() == category)
            .collect();
        Leaf {
            category: category.cloned(),
            patients: patient_counts(&members),
            group: group_summary(&members, protocol),
        }
    };
    let mut leaves: Vec<Leaf> = table.categories.iter().map(|name| leaf(Some(name))).collect();
    leaves.push(leaf(None));
    DimensionSummary { dimension: table.name.clone(), leaves }
}

/// The unit's cell; `None` where an attribute is missing or in no category.
fn cell_of(table: &Table, unit: &AnalysedUnit) -> Option<Name> {
    let of = |dimension: usize| unit.categories.get(dimension)?.as_ref();
    match table.kind {
        TableKind::OneWay(dimension) => of(dimension).cloned(),
        TableKind::Crossing { rows, columns } => {
            format!("{}-{}", of(rows)?, of(columns)?).parse().ok()
        }
    }
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
