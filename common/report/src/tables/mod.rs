//! The report as tables for spreadsheets and scripts.

mod condition_groups;
mod conditions;
mod confusion;
mod detection;
mod empty_masks;
mod gaps;
mod group_cells;
mod measures;
mod metrics;
mod protocol_changes;
mod sites;
mod subgroup_sites;
mod withheld;

use std::collections::BTreeMap;

use crate::csv::{Csv, Field, limits, reason};
use crate::report::Report;

/// Every table, by its path in the package.
pub(crate) fn all(report: &Report) -> BTreeMap<String, String> {
    let classes =
        report.classes.as_ref().map(|classes| ("confusion", confusion::table(report, classes)));
    let conditions =
        (!report.conditions.is_empty()).then(|| ("conditions", conditions::table(report)));
    let has_measures = report.quantity.is_some() || report.segmentation.is_some();
    let measures = has_measures.then(|| ("measures", measures::table(report)));
    let empty_masks =
        report.segmentation.as_ref().map(|_| ("empty_masks", empty_masks::table(report)));
    let findings =
        report.detection.as_ref().map(|found| ("detection", detection::table(report, found)));
    [
        ("sites", sites::table(report)),
        ("metrics", metrics::of_sites(report)),
        ("synthesis", metrics::synthesis(report)),
        ("subgroups", metrics::of_subgroups(report)),
        ("subgroup_sites", subgroup_sites::table(report)),
        ("operating_points", metrics::operating_points(report)),
        ("gaps", gaps::table(report)),
        ("withheld", withheld::table(report)),
        ("protocol_changes", protocol_changes::table(report)),
    ]
    .into_iter()
    .chain(classes)
    .chain(conditions)
    .chain(measures)
    .chain(findings)
    .chain(empty_masks)
    .map(|(name, table)| (format!("tables/{name}.csv"), table.into_string()))
    .collect()
}
