//! From units to the summary that the gate looks at.

use std::collections::BTreeSet;

use fedval_study::protocol::{Dimension, StudyProtocol};
use fedval_study::summary::{DimensionSummary, FailureReason, Leaf};
use fedval_study::{CohortCommitment, Name, SiteSummary};

use crate::performance::{patient_counts, performance};
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
        overall: performance(&all, protocol),
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
            performance: performance(&members, protocol),
        }
    };
    let mut leaves: Vec<Leaf> =
        dimension.category_names().into_iter().map(|name| leaf(Some(name))).collect();
    leaves.push(leaf(None));
    DimensionSummary { dimension: dimension.name.clone(), leaves }
}
