//! Tables of several conditions: who has which, and how well each is told.

use fedval_study::{ConditionMetric, MetricId, Name};

use super::markup::Markup;
use super::number::{self, count, share};
use super::ranking::Ranking;
use super::table::{Notes, Row, Table};
use super::words;
use crate::report::{ConditionSummary, Disclosed, Report, SiteCondition};

/// What the table of each condition shows.
const SHOWN: [ConditionMetric; 6] = [
    ConditionMetric::Auroc,
    ConditionMetric::Brier,
    ConditionMetric::OeRatio,
    ConditionMetric::CalibrationSlope,
    ConditionMetric::CalibrationInTheLarge,
    ConditionMetric::Ece,
];

/// Conditions up to which each has a forest plot of its own; beyond, those of endpoints stay.
const PLOTTED: usize = 5;

/// Patients and performance by condition and site; none of other studies.
pub(super) fn tables(report: &Report, shown: &Ranking<'_>) -> Vec<Table> {
    if report.conditions.is_empty() {
        return Vec::new();
    }
    vec![patients(report, shown), performance(report, shown)]
}

/// The metrics with a forest plot, whatever endpoints ask.
pub(super) fn plotted(report: &Report) -> Vec<MetricId> {
    let few = report.conditions.iter().filter(|_| report.conditions.len() <= PLOTTED);
    let areas = few.map(|of| MetricId::OfCondition(ConditionMetric::Auroc, of.name.clone()));
    std::iter::once(MetricId::MacroAuroc).chain(areas).collect()
}

fn patients(report: &Report, shown: &Ranking<'_>) -> Table {
    let caption = format!(
        "Patients by condition and site (share of those who were assessed for it). Missing: not assessed, or uncertain, \
         and in no number about this condition.{}",
        shown.caption()
    );
    let columns = [
        ("Condition and site", "text"),
        ("With", "number"),
        ("Without", "number"),
        ("Missing", "number"),
    ];
    let mut table = Table::new(Markup::text(caption), &columns);
    for condition in &report.conditions {
        table.rows.push(Row::group(Markup::text(condition.name.as_str())));
        for site in shown.released() {
            let own = site.conditions.iter().find(|own| own.name == condition.name);
            let row = own.map(|own| Row::new(Markup::text(site.id.as_str()), counts(own)));
            table.rows.extend(row);
        }
        table.rows.push(Row::new(Markup::text("All released"), sums(condition)).styled("pooled"));
    }
    table
}

fn counts(of: &SiteCondition) -> Vec<Markup> {
    let (Disclosed::Released(with), Disclosed::Released(without), Disclosed::Released(missing)) =
        (of.n_pos, of.n_neg, of.missing)
    else {
        return vec![Markup::text("withheld"); 3];
    };
    cells([with, without, missing])
}

fn sums(of: &ConditionSummary) -> Vec<Markup> {
    cells([of.n_pos, of.n_neg, of.missing])
}

fn cells([with, without, missing]: [u64; 3]) -> Vec<Markup> {
    let of_assessed = format!("{} ({})", count(with), share(with, with.saturating_add(without)));
    [of_assessed, count(without), count(missing)].map(Markup::text).into()
}

fn performance(report: &Report, shown: &Ranking<'_>) -> Table {
    let level = number::level(report.study.level);
    let caption = format!(
        "Discrimination and calibration of each condition by site: estimate ({level} confidence interval). \
         Pooled: random-effects mean over the sites that released the condition.{}",
        shown.caption()
    );
    let heads = SHOWN.map(|metric| words::metric(&metric.of_one()));
    let columns: Vec<(&str, &str)> = std::iter::once(("Condition and site", "text"))
        .chain(heads.iter().map(|head| (head.as_str(), "number")))
        .collect();
    let mut table = Table::new(Markup::text(caption), &columns);
    let mut notes = Notes::default();
    for condition in &report.conditions {
        table.rows.push(Row::group(Markup::text(condition.name.as_str())));
        let ids = metrics(&condition.name);
        table.rows.extend(super::performance::rows(&mut notes, report, shown, &ids));
    }
    table.notes = notes.lines();
    table
}

fn metrics(condition: &Name) -> Vec<MetricId> {
    SHOWN.map(|metric| MetricId::OfCondition(metric, condition.clone())).into()
}

/// Who is counted, for the words under the table of participants.
pub(super) fn remark(report: &Report) -> Option<String> {
    (!report.conditions.is_empty()).then(|| {
        "Conditions do not exclude each other: a patient counts for each that they were assessed for. Where fewer \
         than k patients of a site lack the reference standard of a condition, or of one of two alone, the site sets these \
         patients aside for all conditions, and counts them among those without a reference standard: otherwise \
         subtraction would tell how few they are."
            .to_owned()
    })
}
