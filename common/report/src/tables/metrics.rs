//! Metrics: at each site, across sites, by subgroup across sites; response counts.

use super::{Csv, Field, limits, reason};
use crate::report::{
    Disclosed, Estimable, MeanOverSites, Metric, Metrics, OperatingPointRow, Report, Subgroup,
    Synthesis,
};

pub(super) fn of_sites(report: &Report) -> Csv {
    let mut table =
        Csv::new(&["site", "metric", "estimate", "se", "lower", "upper", "method", "reason"]);
    for site in &report.sites {
        add(&mut table, &[site.id.as_str()], &site.metrics);
    }
    table
}

pub(super) fn of_subgroups(report: &Report) -> Csv {
    let mut table = Csv::new(&[
        "dimension",
        "category",
        "metric",
        "estimate",
        "lower",
        "upper",
        "k",
        "method",
        "reason",
    ]);
    for group in &report.subgroups {
        add_pooled(&mut table, group);
    }
    table
}

fn add(table: &mut Csv, names: &[&str], metrics: &Metrics) {
    for (id, metric) in metrics {
        let id = id.to_string();
        let names = names.iter().map(|name| Field::Text(name)).chain([Field::Text(&id)]);
        match metric {
            Estimable::Estimated(found) => table.row(names.chain(fields(found))),
            Estimable::NotEstimable { .. } => {
                let nothing = (0..5).map(|_| Field::Empty);
                table.row(names.chain(nothing).chain([reason(metric)]));
            }
        }
    }
}

fn fields(metric: &Metric) -> impl Iterator<Item = Field<'_>> {
    let [lower, upper] = limits(&metric.ci);
    let numbers = [Field::Number(metric.estimate), metric.se.value().copied().into(), lower, upper];
    numbers.into_iter().chain([Field::Text(&metric.method), reason(&metric.ci)])
}

fn add_pooled(table: &mut Csv, group: &Subgroup) {
    for (id, synthesis) in &group.synthesis {
        let id = id.to_string();
        let names = [group.dimension.as_str(), group.category.as_str(), &id].map(Field::Text);
        let names = names.into_iter();
        match synthesis {
            Estimable::Estimated(pooled) => {
                let [lower, upper] = limits(&pooled.ci);
                let numbers =
                    [Field::Number(pooled.estimate), lower, upper, Field::Count(pooled.k)];
                let method = [Field::Text(&pooled.method), reason(&pooled.ci)];
                table.row(names.chain(numbers).chain(method));
            }
            Estimable::NotEstimable { .. } => {
                let nothing = (0..5).map(|_| Field::Empty);
                table.row(names.chain(nothing).chain([reason(synthesis)]));
            }
        }
    }
}

pub(super) fn synthesis(report: &Report) -> Csv {
    let mut table = Csv::new(&[
        "metric",
        "k",
        "estimate",
        "lower",
        "upper",
        "prediction_lower",
        "prediction_upper",
        "scale",
        "mu",
        "se",
        "tau2",
        "i2",
        "q",
        "q_p",
        "method",
        "reason",
    ]);
    for (metric, synthesis) in &report.synthesis {
        let id = metric.to_string();
        let mean = report.means_over_sites.get(metric).and_then(Estimable::value);
        match (synthesis, mean) {
            (Estimable::Estimated(pooled), _) => table.row(pooled_fields(&id, pooled)),
            (Estimable::NotEstimable { .. }, Some(mean)) => table.row(mean_fields(&id, mean)),
            (Estimable::NotEstimable { .. }, None) => {
                let nothing = (0..14).map(|_| Field::Empty);
                table.row([Field::Text(&id)].into_iter().chain(nothing).chain([reason(synthesis)]));
            }
        }
    }
    table
}

fn pooled_fields<'a>(id: &'a str, pooled: &'a Synthesis) -> Vec<Field<'a>> {
    let [lower, upper] = limits(&pooled.ci);
    let [below, above] = limits(&pooled.prediction_interval);
    let number = |number: &Estimable<f64>| number.value().copied().into();
    vec![
        Field::Text(id),
        Field::Count(pooled.k),
        Field::Number(pooled.estimate),
        lower,
        upper,
        below,
        above,
        Field::Text(pooled.scale.as_str()),
        Field::Number(pooled.mu),
        number(&pooled.se),
        Field::Number(pooled.tau2),
        number(&pooled.i2),
        number(&pooled.q),
        number(&pooled.q_p),
        Field::Text(&pooled.method),
        reason(&pooled.prediction_interval),
    ]
}

fn mean_fields<'a>(id: &'a str, mean: &'a MeanOverSites) -> Vec<Field<'a>> {
    let [lower, upper] = limits(&mean.ci);
    let mut fields =
        vec![Field::Text(id), Field::Count(mean.k), Field::Number(mean.estimate), lower, upper];
    // No prediction, no scale, no spread between sites.
    fields.extend((0..9).map(|_| Field::Empty));
    fields.extend([Field::Text(&mean.method), reason(&mean.ci)]);
    fields
}

pub(super) fn operating_points(report: &Report) -> Csv {
    let mut table = Csv::new(&[
        "site",
        "operating_point",
        "threshold",
        "tp",
        "fn",
        "fp",
        "tn",
        "sensitivity",
        "specificity",
        "reason",
    ]);
    for site in &report.sites {
        for row in &site.operating_points {
            table.row(point(site.id.as_str(), row));
        }
    }
    table
}

fn point<'a>(site: &'a str, row: &'a OperatingPointRow) -> Vec<Field<'a>> {
    let count = |count: &Disclosed<u64>| count.released().copied().into();
    let withheld = [row.tp, row.fp].iter().any(|count| count.released().is_none());
    let why = if withheld { Field::Text("withheld") } else { reason(&row.sensitivity) };
    vec![
        Field::Text(site),
        Field::Text(row.name.as_str()),
        Field::Number(row.threshold),
        count(&row.tp),
        count(&row.fn_),
        count(&row.fp),
        count(&row.tn),
        row.sensitivity.value().copied().into(),
        row.specificity.value().copied().into(),
        why,
    ]
}
