//! Each group at each site.

use super::{Csv, Field, limits, reason};
use crate::report::{Disclosed, Estimable, Metric, Report, SubgroupPerformance};

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
    if report.quantity.is_some() {
        return errors(report);
    }
    if !report.conditions.is_empty() {
        return super::condition_groups::table(report);
    }
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
    let (n_pos, n_neg) = (cell.n_pos.into(), cell.n_neg.into());
    let who = [Field::Count(cell.patients), Field::Count(cell.n), n_pos, n_neg];
    let (area, [lower, upper], why) = match &cell.auroc {
        Some(Estimable::Estimated(area)) => {
            (Field::Number(area.estimate), limits(&area.ci), reason(&area.ci))
        }
        Some(missing @ Estimable::NotEstimable { .. }) => {
            (Field::Empty, [Field::Empty, Field::Empty], reason(missing))
        }
        None => (Field::Empty, [Field::Empty, Field::Empty], Field::Empty),
    };
    let counts = cell.response.iter().flat_map(|of| {
        [of.tp, of.fn_, of.fp, of.tn].map(|count| Field::from(count.released().copied()))
    });
    who.into_iter().chain([area, lower, upper]).chain(counts).chain([why])
}

/// Of a quantity: one row for each site and metric of each group.
fn errors(report: &Report) -> Csv {
    let mut table = Csv::new(&[
        "dimension",
        "category",
        "site",
        "patients",
        "metric",
        "estimate",
        "se",
        "lower",
        "upper",
        "reason",
    ]);
    for group in &report.subgroups {
        for cell in &group.sites {
            let names = [group.dimension.as_str(), group.category.as_str(), cell.site.as_str()];
            let names = || names.map(Field::Text).into_iter();
            let Disclosed::Released(performance) = &cell.performance else {
                let nothing = (0..6).map(|_| Field::Empty);
                table.row(names().chain(nothing).chain([Field::Text("withheld")]));
                continue;
            };
            for (id, metric) in &performance.metrics {
                let id = id.to_string();
                let who = [Field::Count(performance.patients), Field::Text(&id)];
                table.row(names().chain(who).chain(error_fields(metric)));
            }
        }
    }
    table
}

fn error_fields(metric: &Estimable<Metric>) -> Vec<Field<'_>> {
    match metric {
        Estimable::Estimated(found) => {
            let [lower, upper] = limits(&found.ci);
            let se = found.se.value().copied().into();
            vec![Field::Number(found.estimate), se, lower, upper, reason(&found.ci)]
        }
        Estimable::NotEstimable { .. } => {
            vec![Field::Empty, Field::Empty, Field::Empty, Field::Empty, reason(metric)]
        }
    }
}
