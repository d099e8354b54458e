//! How patients of several classes were called, site by site.

use super::{Csv, Field};
use crate::report::{ClassSection, Report};

pub(super) fn table(report: &Report, classes: &ClassSection) -> Csv {
    let mut table = Csv::new(&["site", "reference", "called", "patients"]);
    for site in &report.sites {
        let Some(own) = &site.classes else { continue };
        for (reference, row) in classes.names.iter().zip(&own.confusion) {
            for (called, patients) in classes.names.iter().zip(row) {
                table.row([
                    Field::Text(site.id.as_str()),
                    Field::Text(reference.as_str()),
                    Field::Text(called.as_str()),
                    Field::Count(*patients),
                ]);
            }
        }
    }
    table
}
