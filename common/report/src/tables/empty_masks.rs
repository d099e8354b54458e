//! Patients by which of their masks hold the structure, site by site.

use super::{Csv, Field};
use crate::report::Report;

/// A count that was withheld is empty.
pub(super) fn table(report: &Report) -> Csv {
    let mut table = Csv::new(&["site", "both", "missed", "spurious", "neither"]);
    for site in report.sites.iter().filter(|site| !site.measures.is_empty()) {
        let without = site.empty_masks.and_then(|of| of.without_structure);
        table.row([
            Field::Text(site.id.as_str()),
            site.patients.value().copied().into(),
            site.empty_masks.map(|of| of.missed).into(),
            without.map(|of| of.spurious).into(),
            without.map(|of| of.neither).into(),
        ]);
    }
    table
}
