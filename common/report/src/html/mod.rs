//! The report for people: one file, no script, nothing from elsewhere.

mod axis;
mod calibration;
mod forest;
mod legend;
mod marks;
mod markup;
mod number;
mod participants;
mod performance;
mod records;
mod subgroups;
mod summary;
mod svg;
mod synthesis;
mod table;
mod verdicts;
mod words;

use askama::Template;
use fedval_study::MetricId;

use crate::report::{DisclosureSection, Report};
use forest::Figure;
use markup::Markup;
use table::Table;
use verdicts::Card;

/// Operating points up to which each has its own forest plots; beyond, those of endpoints stay.
const PLOTTED_POINTS: usize = 3;

/// The report cannot be written as HTML.
#[derive(Debug, thiserror::Error)]
#[error("the report cannot be written as HTML")]
pub struct RenderError(#[source] askama::Error);

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    control: String,
    cards: Vec<Card>,
    summary: String,
    participants: Table,
    remarks: Vec<String>,
    performance: Table,
    forests: Vec<Figure>,
    synthesis: Table,
    leave_one_out: Option<Table>,
    operating_points: Table,
    calibration: Option<Figure>,
    subgroups: Vec<Table>,
    withheld: Option<Table>,
    study: Vec<(String, Markup)>,
    documents: Table,
}

/// Renders the report as one self-contained HTML file; the same report gives the same bytes.
///
/// # Errors
///
/// [`RenderError`] if the template refuses, which no report makes it do.
pub fn render_html(report: &Report) -> Result<String, RenderError> {
    let shown = plotted(report);
    let page = Page {
        report,
        control: control(&report.disclosure, report),
        cards: verdicts::cards(report),
        summary: summary::sentences(report).join(" "),
        participants: participants::table(report),
        remarks: participants::remarks(report),
        performance: performance::table(report),
        forests: shown.iter().filter_map(|id| forest::figure(report, id)).collect(),
        synthesis: synthesis::table(report, &asked(report)),
        leave_one_out: synthesis::leave_one_out(report, &asked(report)),
        operating_points: performance::operating_points(report),
        calibration: calibration::figure(report),
        subgroups: subgroups::tables(report),
        withheld: records::withheld(report),
        study: records::study(report),
        documents: records::sites(report),
    };
    page.render().map_err(RenderError)
}

/// The metrics that endpoints ask about, each once.
fn asked(report: &Report) -> Vec<MetricId> {
    let mut metrics: Vec<MetricId> = report.verdicts.iter().map(|v| v.metric.clone()).collect();
    metrics.sort();
    metrics.dedup();
    metrics
}

/// The metrics with a forest plot.
fn plotted(report: &Report) -> Vec<MetricId> {
    let mut metrics = asked(report);
    metrics.push(MetricId::Auroc);
    let points = &report.study.operating_points;
    if points.len() <= PLOTTED_POINTS {
        metrics.extend(points.iter().flat_map(|point| performance::both(&point.name)));
    }
    metrics.sort();
    metrics.dedup();
    metrics
}

/// The disclosure control in force, for the first page.
fn control(disclosure: &DisclosureSection, report: &Report) -> String {
    let (profile, k) = (disclosure.profile.as_str(), disclosure.k);
    let stricter: Vec<String> = report
        .sites
        .iter()
        .filter_map(|site| Some((site, site.disclosure?)))
        .filter(|(_, control)| control.k != k || control.profile != disclosure.profile)
        .map(|(site, control)| format!("{}: {}", site.id, words::terms(&control.terms)))
        .collect();
    let stricter =
        if stricter.is_empty() { String::new() } else { format!(" ({})", stricter.join("; ")) };
    format!("{profile} profile, denominators of at least {k} patients{stricter}")
}
