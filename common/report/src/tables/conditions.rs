//! Patients by condition, site by site.

use super::{Csv, Field};
use crate::report::{Disclosed, Report};

pub(super) fn table(report: &Report) -> Csv {
    let mut table = Csv::new(&["site", "condition", "with", "without", "missing"]);
    for site in &report.sites {
        for condition in &site.conditions {
            let count = |count: &Disclosed<u64>| {
                count.released().map_or(Field::Text("S"), |count| Field::Count(*count))
            };
            table.row([
                Field::Text(site.id.as_str()),
                Field::Text(condition.name.as_str()),
                count(&condition.n_pos),
                count(&condition.n_neg),
                count(&condition.missing),
            ]);
        }
    }
    table
}
