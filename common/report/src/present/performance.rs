//! Performance of the index test at each site.

use fedval_study::{MetricId, Name};

use super::markup::Markup;
use super::number::{self, Format, count};
use super::over_sites;
use super::ranking::Ranking;
use super::table::{Notes, Row, Table};
use super::words;
use crate::report::{Disclosed, Estimable, OperatingPointRow, Report, Site, Syntheses};

/// The metrics that need no threshold.
const WITHOUT_THRESHOLD: [MetricId; 6] = [
    MetricId::Auroc,
    MetricId::Brier,
    MetricId::OeRatio,
    MetricId::CalibrationSlope,
    MetricId::CalibrationInTheLarge,
    MetricId::Ece,
];

/// Those of a quantity.
const OF_QUANTITY: [MetricId; 5] = [
    MetricId::MeanAbsoluteError,
    MetricId::MeanError,
    MetricId::LowerLimitOfAgreement,
    MetricId::UpperLimitOfAgreement,
    MetricId::IntraclassCorrelation,
];

/// Those of masks.
const OF_MASKS: [MetricId; 4] =
    [MetricId::DiceMissesZero, MetricId::Dice, MetricId::Nsd, MetricId::Hd95];

/// Discrimination and calibration, one row a site and one for the pooled values.
pub(super) fn table(report: &Report, shown: &Ranking<'_>) -> Table {
    let level = number::level(report.study.level);
    let clustered = released(report).any(|site| site.clustered == Some(true));
    let errors = if report.detection.is_some() {
        " Errors are between patients."
    } else if clustered {
        " Where patients have several cases, errors of AUROC, Brier score and observed : expected \
         are clustered by patient."
    } else {
        ""
    };
    let what = match (&report.classes, &report.quantity, &report.detection) {
        (Some(classes), ..) if classes.ordered => "Agreement with the reference standard",
        (Some(_), ..) => "Discrimination",
        (None, Some(_), _) => "Errors and agreement with the reference standard",
        (None, None, Some(_)) => "Lesions found and false positives",
        (None, None, None) if !report.conditions.is_empty() => {
            "Discrimination, as the mean over conditions,"
        }
        (None, None, None) if report.segmentation.is_some() => {
            "Masks beside the reference standard's"
        }
        (None, None, None) => "Discrimination and calibration",
    };
    let caption = format!(
        "{what} by site: estimate ({level} confidence interval). Pooled: \
         random-effects mean.{}{errors}{}",
        over_sites::caption(report),
        shown.caption()
    );
    let mut columns = vec![("Site".to_owned(), "text")];
    let metrics = without_threshold(report);
    columns.extend(metrics.iter().map(|id| (words::metric_with_unit(report, id), "number")));
    let columns: Vec<_> = columns.iter().map(|(label, class)| (label.as_str(), *class)).collect();
    let mut table = Table::new(Markup::text(caption), &columns);
    let mut notes = Notes::default();
    table.rows.extend(rows(&mut notes, report, shown, &metrics));
    table.notes = notes.lines();
    table
}

/// Metrics at each site that is shown, then their pooled values.
pub(super) fn rows(
    notes: &mut Notes,
    report: &Report,
    shown: &Ranking<'_>,
    metrics: &[MetricId],
) -> Vec<Row> {
    let mut rows = Vec::new();
    for site in shown.released() {
        let cells =
            metrics.iter().map(|id| notes.metric(Format::of(id), site.metrics.get(id))).collect();
        rows.push(Row::new(Markup::text(site.id.as_str()), cells));
    }
    let cells = metrics.iter().map(|id| pooled(notes, report, id)).collect();
    rows.push(Row::new(Markup::text("Pooled"), cells).styled("pooled"));
    rows
}

/// What is shown of a study with its task.
fn without_threshold(report: &Report) -> Vec<MetricId> {
    if let Some(detection) = &report.detection {
        return super::detection::metrics(detection);
    }
    match (&report.classes, &report.quantity) {
        (Some(classes), _) => vec![
            super::classes::main_metric(classes),
            MetricId::BalancedAccuracy,
            MetricId::Accuracy,
        ],
        (None, Some(_)) => OF_QUANTITY.to_vec(),
        (None, None) if report.segmentation.is_some() => OF_MASKS.to_vec(),
        (None, None) if !report.conditions.is_empty() => vec![MetricId::MacroAuroc],
        (None, None) => WITHOUT_THRESHOLD.to_vec(),
    }
}

/// Response counts, sensitivity and specificity at every locked operating point.
pub(super) fn operating_points(report: &Report, shown: &Ranking<'_>) -> Table {
    let level = number::level(report.study.level);
    let caption = format!(
        "Response counts, sensitivity and specificity at the locked operating points: estimate \
         ({level} confidence interval).{}",
        shown.caption()
    );
    let mut table = Table::new(
        Markup::text(caption),
        &[
            ("Site", "text"),
            ("TP", "number"),
            ("FN", "number"),
            ("FP", "number"),
            ("TN", "number"),
            ("Sensitivity", "number"),
            ("Specificity", "number"),
        ],
    );
    let mut notes = Notes::default();
    for point in &report.study.operating_points {
        let heading =
            format!("{}: positive where the score is at least {}", point.name, point.threshold);
        table.rows.push(Row::group(Markup::text(heading)));
        for site in shown.released() {
            let row = site.operating_points.iter().find(|row| row.name == point.name);
            table.rows.extend(row.map(|row| response(&mut notes, site, row)));
        }
        table.rows.push(pooled_response(&mut notes, report, &point.name));
    }
    table.notes = notes.lines();
    table
}

fn response(notes: &mut Notes, site: &Site, row: &OperatingPointRow) -> Row {
    let mut cells: Vec<Markup> = [row.tp, row.fn_, row.fp, row.tn].map(response_count).into();
    for id in both(&row.name) {
        cells.push(notes.metric(Format::Percent, site.metrics.get(&id)));
    }
    Row::new(Markup::text(site.id.as_str()), cells)
}

fn response_count(cell: Disclosed<u64>) -> Markup {
    cell.released().map_or_else(|| Markup::text("withheld"), |cell| Markup::text(count(*cell)))
}

fn pooled_response(notes: &mut Notes, report: &Report, point: &Name) -> Row {
    let mut cells = vec![Markup::default(); 4];
    cells.extend(both(point).iter().map(|id| pooled(notes, report, id)));
    Row::new(Markup::text("Pooled"), cells).styled("pooled")
}

pub(super) fn both(point: &Name) -> [MetricId; 2] {
    [MetricId::Sensitivity(point.clone()), MetricId::Specificity(point.clone())]
}

fn pooled(notes: &mut Notes, report: &Report, id: &MetricId) -> Markup {
    over_sites::cell(notes, report, id).unwrap_or_else(|| pooled_of(notes, &report.synthesis, id))
}

/// The same of any syntheses.
pub(super) fn pooled_of(notes: &mut Notes, syntheses: &Syntheses, id: &MetricId) -> Markup {
    match syntheses.get(id) {
        Some(Estimable::Estimated(pooled)) => {
            Markup::trusted(notes.with_limits(Format::of(id), pooled.estimate, &pooled.ci))
        }
        Some(Estimable::NotEstimable { not_estimable }) => {
            Markup::trusted(notes.dash(*not_estimable))
        }
        None => Markup::default(),
    }
}

/// The sites that released a result.
pub(super) fn released(report: &Report) -> impl Iterator<Item = &Site> {
    report.sites.iter().filter(|site| !site.metrics.is_empty())
}
