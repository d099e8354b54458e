//! How much a protocol may list. A document that arrives may come from anybody: what is compared with each other
//! must be few, or a mebibyte of it would take hours.

use super::Breaches;
use crate::protocol::{Grouping, StudyProtocol};

/// Most entries of any list, categories and bands of a dimension among them.
const MAX_ENTRIES: usize = 1_000;
/// Most cells of a crossing.
const MAX_CELLS: usize = 10_000;

pub(super) fn check(protocol: &StudyProtocol, found: &mut Breaches) {
    let lists = [
        ("operating_points", protocol.operating_points.len()),
        ("endpoints", protocol.endpoints.len()),
        ("subgroups", protocol.subgroups.len()),
        ("crossings", protocol.crossings.len()),
        ("classes", protocol.task.classes().len()),
        ("conditions", protocol.task.conditions().len()),
    ];
    for (path, entries) in lists {
        check_entries(path, entries, found);
    }
    for (index, dimension) in protocol.subgroups.iter().enumerate() {
        let (list, entries) = match &dimension.grouping {
            Grouping::Categories(categories) => ("categories", categories.len()),
            Grouping::Bands(bands) => ("bands", bands.len()),
        };
        check_entries(&format!("subgroups[{index}].{list}"), entries, found);
    }
    for (index, condition) in protocol.task.conditions().iter().take(MAX_ENTRIES).enumerate() {
        let values = [&condition.positive, &condition.negative, &condition.missing];
        for entries in values.map(Vec::len).into_iter().chain([condition.operating_points.len()]) {
            check_entries(&format!("conditions[{index}]"), entries, found);
        }
    }
    let count = |name: &crate::Name| {
        let dimension = protocol.subgroups.iter().find(|d| d.name == *name);
        dimension.map_or(0, |dimension| dimension.category_names().len())
    };
    for (index, crossing) in protocol.crossings.iter().take(MAX_ENTRIES).enumerate() {
        found.unless(
            count(&crossing.rows).saturating_mul(count(&crossing.columns)) <= MAX_CELLS,
            format!("crossings[{index}]"),
            format!("has more than {MAX_CELLS} cells"),
            "cross dimensions of fewer categories",
        );
    }
}

fn check_entries(path: &str, entries: usize, found: &mut Breaches) {
    found.unless(
        entries <= MAX_ENTRIES,
        path,
        format!("has more than {MAX_ENTRIES} entries"),
        "keep those that the question needs",
    );
}
