//! What sites show on average, of metrics that have no synthesis.

use fedval_study::MetricId;

use super::markup::Markup;
use super::number::{self, Format};
use super::table::{Notes, Row};
use super::words;
use crate::report::{Estimable, MeanOverSites, Reason, Report};

/// What a caption says of them; nothing of a study without.
pub(super) fn caption(report: &Report) -> String {
    let names: Vec<String> = report.means_over_sites.keys().map(words::metric).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(
        " {}: the mean over sites, of which each counts the same, since there is no standard error to weigh them by; \
         from five sites on with the interval that drawing whole sites again gives.",
        names.join(", ")
    )
}

/// The mean with its limits; `None` of a metric without.
pub(super) fn cell(notes: &mut Notes, report: &Report, id: &MetricId) -> Option<Markup> {
    Some(match report.means_over_sites.get(id)? {
        Estimable::Estimated(mean) => with_limits(notes, id, mean),
        Estimable::NotEstimable { not_estimable } => Markup::trusted(notes.dash(*not_estimable)),
    })
}

/// Its row among the syntheses.
pub(super) fn row(notes: &mut Notes, report: &Report, id: &MetricId) -> Option<Row> {
    let mean = report.means_over_sites.get(id)?.value()?;
    let mut cells = vec![
        Markup::text(mean.k.to_string()),
        with_limits(notes, id, mean),
        Markup::trusted(notes.dash(Reason::NotDefinedForMethod)),
    ];
    cells.extend(vec![Markup::default(); 3]);
    cells.push(Markup::text(words::method(&mean.method)));
    Some(Row::new(Markup::text(words::metric(id)), cells))
}

/// The same in a sentence; nothing where there is no mean.
pub(super) fn sentence(report: &Report, id: &MetricId) -> String {
    let Some(Estimable::Estimated(mean)) = report.means_over_sites.get(id) else {
        return String::new();
    };
    let format = Format::of(id);
    let limits = mean.ci.value().map_or_else(String::new, |ci| {
        let level = number::level(report.study.level);
        format!(" ({level} CI {})", format.bare_limits(*ci))
    });
    let sites = words::plural(mean.k, "site");
    format!("over {sites} it is {}{limits} on average", format.value(mean.estimate))
}

fn with_limits(notes: &mut Notes, id: &MetricId, mean: &MeanOverSites) -> Markup {
    Markup::trusted(notes.with_limits(Format::of(id), mean.estimate, &mean.ci))
}
