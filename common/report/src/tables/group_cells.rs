//! What the tables of each group at each site have in common: how their columns are put together, and one row where a
//! site tells nothing of a group.

use super::{Csv, Field};
use crate::report::{Disclosed, Report, SubgroupPerformance};

/// The columns of four counts for each operating point.
pub(super) fn counts(report: &Report) -> Vec<String> {
    let points = report.study.operating_points.iter();
    points
        .flat_map(|point| ["tp", "fn", "fp", "tn"].map(|count| format!("{count}@{}", point.name)))
        .collect()
}

/// A table whose columns are `fixed`, of which the first three name dimension, category and site, then `counts` and why
/// there is no number. Of what a site tells of a group `rows` gives row after row, without these three.
pub(super) fn table(
    report: &Report,
    fixed: &[&str],
    counts: &[String],
    rows: impl Fn(&SubgroupPerformance, &mut dyn FnMut(Vec<Field<'_>>)),
) -> Csv {
    let counts = counts.iter().map(String::as_str);
    let columns: Vec<&str> = fixed.iter().copied().chain(counts).chain(["reason"]).collect();
    let mut table = Csv::new(&columns);
    for group in &report.subgroups {
        for cell in &group.sites {
            let names = [group.dimension.as_str(), group.category.as_str(), cell.site.as_str()];
            let names = || names.map(Field::Text).into_iter();
            if let Disclosed::Released(performance) = &cell.performance {
                rows(performance, &mut |fields: Vec<Field<'_>>| table.row(names().chain(fields)));
            } else {
                let nothing = (names().len()..columns.len() - 1).map(|_| Field::Empty);
                table.row(names().chain(nothing).chain([Field::Text("withheld")]));
            }
        }
    }
    table
}
