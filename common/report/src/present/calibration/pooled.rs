//! Calibration over all sites together: the pooled coefficients, and the line through two of them.

use fedval_study::{ConditionMetric, MetricId, Name};

use crate::present::markup::Markup;
use crate::present::number;
use crate::present::synthesis::{COLUMNS, row};
use crate::present::table::{Notes, Row, Table};
use crate::report::Report;

/// What is told of it.
const SHOWN: [ConditionMetric; 4] = [
    ConditionMetric::OeRatio,
    ConditionMetric::CalibrationInTheLarge,
    ConditionMetric::CalibrationSlope,
    ConditionMetric::CalibrationIntercept,
];

/// One row a coefficient, of several conditions below the name of each; `None` of a study without probabilities.
pub(in crate::present) fn table(report: &Report) -> Option<Table> {
    let level = number::level(report.study.level);
    let caption = format!(
        "Calibration over all sites: random-effects mean ({level} confidence interval) of what each site released, \
         and {level} prediction interval for a new hospital. Perfect are observed : expected 1, calibration in the \
         large 0, slope 1 and intercept 0. Sites release no binned cases, so that no curve of all cases together \
         can be drawn: there are the curves of sites, and the line through the pooled intercept and slope."
    );
    let mut table = Table::new(Markup::text(caption), &COLUMNS);
    let mut notes = Notes::default();
    if report.conditions.is_empty() {
        table.rows = rows(report, &mut notes, None);
    }
    for condition in &report.conditions {
        table.rows.push(Row::group(Markup::text(condition.name.as_str())));
        table.rows.extend(rows(report, &mut notes, Some(&condition.name)));
    }
    table.notes = notes.lines();
    (!table.rows.is_empty()).then_some(table)
}

fn rows(report: &Report, notes: &mut Notes, condition: Option<&Name>) -> Vec<Row> {
    let ids = SHOWN.map(|metric| id(metric, condition));
    let found = ids.iter().filter_map(|id| Some((id, report.synthesis.get(id)?)));
    found.map(|(id, synthesis)| row(report, notes, id, synthesis)).collect()
}

/// The pooled intercept and slope, where both exist.
pub(super) fn line(report: &Report, condition: Option<&Name>) -> Option<[f64; 2]> {
    let of = |metric| Some(report.synthesis_of(&id(metric, condition))?.estimate);
    Some([of(ConditionMetric::CalibrationIntercept)?, of(ConditionMetric::CalibrationSlope)?])
}

fn id(metric: ConditionMetric, condition: Option<&Name>) -> MetricId {
    condition.map_or_else(
        || metric.of_one(),
        |condition| MetricId::OfCondition(metric, condition.clone()),
    )
}
