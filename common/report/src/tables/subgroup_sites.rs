//! Each group at each site.

use super::{Csv, Field, group_cells, limits, reason};
use crate::report::{Estimable, Metric, Report, SubgroupPerformance};

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

/// Of a quantity.
const OF_ERRORS: [&str; 9] =
    ["dimension", "category", "site", "patients", "metric", "estimate", "se", "lower", "upper"];

/// One row for each site of each group; four counts for each operating point.
pub(super) fn table(report: &Report) -> Csv {
    if report.quantity.is_some() {
        return errors(report);
    }
    if !report.conditions.is_empty() {
        return super::condition_groups::table(report);
    }
    group_cells::table(report, &FIXED, &group_cells::counts(report), |cell, row| row(fields(cell)))
}

fn fields(cell: &SubgroupPerformance) -> Vec<Field<'_>> {
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
    who.into_iter().chain([area, lower, upper]).chain(counts).chain([why]).collect()
}

/// Of a quantity: one row for each site and metric of each group.
fn errors(report: &Report) -> Csv {
    group_cells::table(report, &OF_ERRORS, &[], |cell, row| {
        for (id, metric) in &cell.metrics {
            let id = id.to_string();
            let mut fields = vec![Field::Count(cell.patients), Field::Text(&id)];
            fields.extend(error_fields(metric));
            row(fields);
        }
    })
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
