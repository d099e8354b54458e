//! From units to the summary that the gate looks at.

use std::collections::BTreeSet;

use fedval_study::protocol::{Dimension, StudyProtocol};
use fedval_study::summary::{DimensionSummary, FailureReason, GroupSummary, Leaf};
use fedval_study::{CohortCommitment, Name, SiteSummary};

use crate::performance::{Clusters, patient_counts, patients_with_several, performance};
use crate::unit::AnalysedUnit;

/// Counts everything that the protocol names.
pub(crate) fn summarise(
    protocol: &StudyProtocol,
    cohort: CohortCommitment,
    units: &[AnalysedUnit],
    failures: Vec<BTreeSet<FailureReason>>,
) -> SiteSummary {
    let all: Vec<&AnalysedUnit> = units.iter().collect();
    SiteSummary {
        cohort,
        failures,
        overall: group_summary(&all, protocol),
        dimensions: protocol
            .subgroups
            .iter()
            .enumerate()
            .map(|(index, dimension)| dimension_summary(protocol, dimension, index, &all))
            .collect(),
    }
}

fn dimension_summary(
    protocol: &StudyProtocol,
    dimension: &Dimension,
    index: usize,
    units: &[&AnalysedUnit],
) -> DimensionSummary {
    let leaf = |category: Option<&Name>| {
        let members: Vec<&AnalysedUnit> = units
            .iter()
            .copied()
            .filter(|unit| unit.categories.get(index).and_then(Option::as_ref) == category)
            .collect();
        Leaf {
            category: category.cloned(),
            patients: patient_counts(&members),
            group: group_summary(&members, protocol),
        }
    };
    let mut leaves: Vec<Leaf> =
        dimension.category_names().into_iter().map(|name| leaf(Some(name))).collect();
    leaves.push(leaf(None));
    DimensionSummary { dimension: dimension.name.clone(), leaves }
}

/// Both forms of a group; `None` for an empty one.
fn group_summary(units: &[&AnalysedUnit], protocol: &StudyProtocol) -> Option<GroupSummary> {
    Some(GroupSummary {
        patients_with_several: patients_with_several(units),
        by_patient: performance(units, protocol, Clusters::Patients)?,
        by_case: performance(units, protocol, Clusters::Cases)?,
    })
}
