//! What a report shows to people: pictures, tables and sentences, for the page and for paper alike.

mod axis;
mod bias;
mod calibration;
mod classes;
mod conditions;
mod crosswalk;
mod detection;
mod figure;
mod flow;
mod forest;
mod froc;
mod funnel;
mod gaps;
mod joint;
mod legend;
mod marks;
mod markup;
mod masks;
mod measured;
mod mix;
mod number;
mod over_sites;
mod panels;
mod participants;
mod performance;
mod picture;
mod plain;
mod ranking;
mod records;
mod signatures;
mod style;
mod subgroups;
mod summary;
mod synthesis;
mod table;
mod utility;
mod verdicts;
mod versions;
mod words;

use fedval_study::{ElectronicSignature, MetricId};

use ranking::Ranking;

use crate::report::{DisclosureSection, Report};
pub(crate) use crosswalk::Fold;
pub(crate) use figure::Figure;
pub(crate) use markup::Markup;
pub(crate) use picture::{Anchor, Shape};
pub(crate) use plain::PlainPage;
pub(crate) use signatures::NOBODY_SIGNED;
pub(crate) use style::{Colour, Style};
pub(crate) use table::{Row, Table};
pub(crate) use verdicts::Card;
pub(crate) use versions::{Versions, amended};

/// Operating points up to which each has its own forest plots; beyond, those of endpoints stay.
const PLOTTED_POINTS: usize = 3;

/// A report in pictures, tables and sentences.
#[derive(Debug)]
pub(crate) struct Presentation<'a> {
    pub(crate) report: &'a Report,
    /// The disclosure control in force.
    pub(crate) control: String,
    pub(crate) cards: Vec<Card>,
    pub(crate) summary: String,
    pub(crate) plain: PlainPage,
    pub(crate) flow: Figure,
    /// What the flows of single sites are called.
    pub(crate) site_flows_heading: String,
    /// Of many sites, those of the least favourable.
    pub(crate) site_flows: Vec<Figure>,
    pub(crate) participants: Table,
    /// Who the patients are, by dimension.
    pub(crate) mix: Vec<Table>,
    pub(crate) remarks: Vec<String>,
    pub(crate) performance: Table,
    pub(crate) responses: Table,
    pub(crate) classes: Vec<Table>,
    pub(crate) detection: Vec<Table>,
    pub(crate) froc: Option<Figure>,
    pub(crate) forests: Vec<Figure>,
    /// Of many sites, those that the first plots leave out: a page of them each.
    pub(crate) further_forests: Vec<Figure>,
    pub(crate) synthesis: Table,
    pub(crate) leave_one_out: Option<Table>,
    pub(crate) funnels: Vec<Figure>,
    pub(crate) accuracy: Table,
    pub(crate) predictive_values: Option<Table>,
    pub(crate) roc_space: Option<Figure>,
    /// One, or one for each of several conditions.
    pub(crate) calibration: Vec<Figure>,
    /// Of studies without probabilities none.
    pub(crate) pooled_calibration: Option<Table>,
    pub(crate) utility: Option<Table>,
    /// One, or one for each of several conditions with two cut-offs.
    pub(crate) decision_curve: Vec<Figure>,
    pub(crate) subgroups: Vec<Table>,
    pub(crate) gaps: Option<Table>,
    pub(crate) withheld: Option<Table>,
    pub(crate) bias: Option<Table>,
    pub(crate) crosswalk: Vec<Fold>,
    pub(crate) versions: Option<Versions>,
    pub(crate) study: Vec<(String, Markup)>,
    pub(crate) documents: Table,
    pub(crate) signatures: Option<Table>,
}

impl<'a> Presentation<'a> {
    pub(crate) fn of(report: &'a Report, signatures: &[ElectronicSignature]) -> Self {
        let asked = asked(report);
        let shown = Ranking::of(report);
        Self {
            report,
            control: control(&report.disclosure, report),
            cards: verdicts::cards(report),
            summary: summary::sentences(report).join(" "),
            plain: plain::page(report),
            flow: flow::figure(report),
            site_flows_heading: flow::heading(report),
            site_flows: flow::of_sites(report),
            participants: participants::table(report, &shown),
            mix: mix::tables(report),
            remarks: participants::remarks(report),
            performance: performance::table(report, &shown),
            responses: performance::operating_points(report, &shown),
            classes: classes::tables(report, &shown)
                .into_iter()
                .chain(masks::table(report, &shown))
                .chain(conditions::tables(report, &shown))
                .collect(),
            detection: detection::tables(report, &shown),
            froc: froc::figure(report, &shown),
            forests: plotted(report)
                .iter()
                .filter_map(|id| forest::figure(report, &shown, id))
                .collect(),
            further_forests: forest::further(report),
            synthesis: synthesis::table(report, &asked),
            leave_one_out: synthesis::leave_one_out(report, &shown, &asked),
            funnels: asked.iter().filter_map(|id| funnel::figure(report, id)).collect(),
            accuracy: joint::accuracy(report),
            predictive_values: joint::predictive_values(report),
            roc_space: joint::figure(report),
            calibration: calibration::figures(report, &shown),
            pooled_calibration: calibration::table(report),
            utility: utility::table(report),
            decision_curve: utility::figures(report),
            subgroups: subgroups::tables(report, &shown),
            gaps: gaps::table(report),
            withheld: records::withheld(report),
            bias: bias::table(report, &shown),
            crosswalk: crosswalk::tables(report),
            versions: versions::of(report),
            study: records::study(report),
            documents: records::sites(report, &shown),
            signatures: signatures::table(signatures),
        }
    }

    /// Every figure, in the order in which they stand.
    pub(crate) fn figures(&self) -> impl Iterator<Item = &Figure> {
        std::iter::once(&self.flow)
            .chain(&self.site_flows)
            .chain(&self.froc)
            .chain(&self.forests)
            .chain(&self.further_forests)
            .chain(&self.funnels)
            .chain(&self.roc_space)
            .chain(&self.calibration)
            .chain(&self.decision_curve)
    }
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
    match (&report.classes, &report.quantity, &report.detection) {
        (Some(classes), ..) => metrics.push(classes::main_metric(classes)),
        (None, Some(_), _) => metrics.extend(measured::PLOTTED),
        (None, None, Some(found)) => metrics.push(detection::main_metric(found)),
        (None, None, None) if report.segmentation.is_some() => metrics.extend(masks::PLOTTED),
        (None, None, None) if !report.conditions.is_empty() => {
            metrics.extend(conditions::plotted(report));
        }
        (None, None, None) => metrics.push(MetricId::Auroc),
    }
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
