//! How groups of patients differ.

use fedval_study::MetricId;

use super::markup::Markup;
use super::number::{self, Format, fixed};
use super::table::{Notes, Row, Table};
use super::words;
use crate::report::{Estimable, Gap, GapEstimate, Report};

/// Up to so many gaps, each is shown.
const MOST: usize = 200;

/// One row for each gap, by dimension; `None` where the protocol compares no groups.
pub(super) fn table(report: &Report) -> Option<Table> {
    if report.gaps.is_empty() {
        return None;
    }
    let level = number::level(report.study.level);
    let caption = format!(
        "Gaps between groups: group minus reference, formed within each site that released both and then \
         synthesised ({level} confidence interval). p: of no gap, adjusted by Holm over the {} gaps of this \
         table that have one. Power: the smallest true gap that would be found in 80 of 100 such studies; where \
         it exceeds {}, finding nothing says little.{}",
        report.gaps.len(),
        if report.quantity.is_some() { "a tenth of the largest error" } else { "10 points" },
        if report.gaps.len() > MOST {
            format!(" Shown are the {MOST} with the smallest p; all stand in tables/gaps.csv.")
        } else {
            String::new()
        }
    );
    let mut table = Table::new(
        Markup::text(caption),
        &[
            ("Group, against", "text"),
            ("Metric", "text"),
            ("k", "number"),
            ("Gap", "number"),
            ("p (Holm)", "number"),
            ("Power", "text"),
        ],
    );
    let mut notes = Notes::default();
    let mut dimension = None;
    for gap in shown(&report.gaps) {
        if dimension != Some(&gap.dimension) {
            table.rows.push(Row::group(Markup::text(gap.dimension.as_str())));
            dimension = Some(&gap.dimension);
        }
        table.rows.push(row(report, &mut notes, gap));
    }
    table.notes = notes.lines();
    Some(table)
}

/// All of few; of many those with the smallest p, in the order of the report.
fn shown(gaps: &[Gap]) -> Vec<&Gap> {
    let p = |gap: &Gap| gap.result.value().and_then(|found| found.p.value().copied());
    let mut all: Vec<f64> = gaps.iter().filter_map(p).collect();
    if gaps.len() <= MOST {
        return gaps.iter().collect();
    }
    all.sort_by(f64::total_cmp);
    let last = all.get(MOST - 1).or(all.last()).copied().unwrap_or(1.0);
    gaps.iter().filter(|gap| p(gap).is_some_and(|p| p <= last)).take(MOST).collect()
}

fn row(report: &Report, notes: &mut Notes, gap: &Gap) -> Row {
    let head = Markup::text(format!("{}, {}", gap.category, gap.reference));
    let mut cells = vec![
        Markup::text(words::metric_with_unit(report, &gap.metric)),
        Markup::text(gap.k.to_string()),
    ];
    match &gap.result {
        Estimable::Estimated(found) => {
            let format = Format::of(&gap.metric);
            let ci = Estimable::Estimated(found.ci);
            cells.push(Markup::trusted(notes.with_limits(format, found.estimate, &ci)));
            cells.push(notes.number(&found.p_holm, |p| number::p_value(*p)));
            let size = detectable(report, &gap.metric, found.detectable);
            cells.push(Markup::text(power(found, &size)));
        }
        Estimable::NotEstimable { not_estimable } => {
            cells.push(Markup::trusted(notes.dash(*not_estimable)));
            cells.extend(vec![Markup::default(); 2]);
        }
    }
    let muted = gap.result.value().is_none_or(|found| !found.powered);
    Row::new(head, cells).styled(if muted { "muted" } else { "" })
}

/// The smallest gap that would be found, in points of a share or in the quantity's unit.
fn detectable(report: &Report, metric: &MetricId, size: f64) -> String {
    if metric.has_unit() {
        let unit = words::unit_behind(report, metric);
        return format!("{}{unit}", Format::of(metric).value(size));
    }
    format!("{} points", fixed(size * 100.0, 1))
}

fn power(gap: &GapEstimate, detectable: &str) -> String {
    if gap.powered {
        format!("sees {detectable}")
    } else {
        format!("low: sees only {detectable} or more")
    }
}
