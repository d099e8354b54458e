//! What was measured of patients, site by site, as it was released.

use super::{Csv, Field};
use crate::report::Report;

pub(super) fn table(report: &Report) -> Csv {
    let mut table = Csv::new(&["site", "measure", "patients", "mean", "grid", "sd"]);
    for site in &report.sites {
        for row in &site.measures {
            let measure = row.measure.to_string();
            table.row([
                Field::Text(site.id.as_str()),
                Field::Text(&measure),
                site.patients.value().copied().into(),
                Field::Number(row.mean),
                Field::Number(row.grid),
                Field::Number(row.sd),
            ]);
        }
    }
    table
}
