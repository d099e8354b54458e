//! Each group at each site.

use super::{Csv, Field, limits, reason};
use crate::report::{Disclosed, Estimable, Report, SubgroupPerformance};

const FIXED: [&str; 10] = [
    "dimension",
    "category",
    "site",
    "patients",
    "cases",
    "with_condition",
    "without_condition",
    "auroc",
    "auroc_lower",
    "auroc_upper",
];

/// One row for each site of each group; four counts for each operating point.
pub(super) fn table(report: &Report) -> Csv {
    let points = report.study.operating_points.iter();
    let counts: Vec<String> = points
        .flat_map(|point| ["tp", "fn", "fp", "tn"].map(|count| format!("{count}@{}", point.name)))
        .collect();
    let columns: Vec<&str> =
        FIXED.into_iter().chain(counts.iter().map(String::as_str)).chain(["reason"]).collect();
    let mut table = Csv::new(&columns);
    for group in &report.subgroups {
        for cell in &group.sites {
            let names = [group.dimension.as_str(), group.category.as_str(), cell.site.as_str()];
            let names = names.map(Field::Text).into_iter();
            if let Disclosed::Released(performance) = &cell.performance {
                table.row(names.chain(fields(performance)));
            } else {
                let nothing = (names.len()..columns.len() - 1).map(|_| Field::Empty);
                table.row(names.chain(nothing).chain([Field::Text("withheld")]));
            }
        }
    }
    table
}

fn fields(cell: &SubgroupPerformance) -> impl Iterator<Item = Field<'_>> {
    let who = [cell.patients, cell.n, cell.n_pos, cell.n_neg].map(Field::Count);
    let (area, [lower, upper], why) = match &cell.auroc {
        Estimable::Estimated(area) => {
            (Field::Number(area.estimate), limits(&area.ci), reason(&area.ci))
        }
        missing @ Estimable::NotEstimable { .. } => {
            (Field::Empty, [Field::Empty, Field::Empty], reason(missing))
        }
    };
    let counts = cell.response.iter().flat_map(|of| {
        [of.tp, of.fn_, of.fp, of.tn].map(|count| Field::from(count.released().copied()))
    });
    who.into_iter().chain([area, lower, upper]).chain(counts).chain([why])
}
