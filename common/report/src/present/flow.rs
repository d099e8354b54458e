//! The flow of sites and patients, as STARD draws it.

mod chart;
mod site;

use std::fmt::Write as _;

use fedval_study::SiteStatus;

use super::figure::Figure;
use super::markup::Markup;
use super::number::count;
use super::{ranking, words};
use crate::csv::{Csv, Field};
use crate::report::{Report, Site};
use chart::{Chart, PITCH};

/// Top of the first box.
const TOP: f64 = 8.0;
/// How far below the top of a box of the main line the one beside it begins.
const BESIDE: f64 = 39.0;

/// The flow over all sites.
pub(super) fn figure(report: &Report) -> Figure {
    let sum = &report.participants;
    let [asked, answered, analysed_at, classes] = [0.0, 1.0, 2.0, 3.0].map(|row| TOP + row * PITCH);
    // Of several classes, none is the condition: a table says how many patients are of which.
    let end = if sum.n_pos.is_some() { classes + PITCH } else { classes };
    let mut chart = Chart::new(end);
    let dispatched = format!("dispatched to {}", sites(sum.sites.dispatched));
    chart.step([asked, answered], "Sites", &dispatched);
    chart.aside(asked + BESIDE, &not_released(report));
    chart.step([answered, analysed_at], "Sites with results", &sites(sum.sites.released));
    chart.aside(answered + BESIDE, &not_analysed(report));
    let analysed = format!("{} patients, {} cases", count(sum.patients), count(sum.n));
    if let (Some(n_pos), Some(n_neg)) = (sum.n_pos, sum.n_neg) {
        chart.step([analysed_at, classes], "Analysed", &analysed);
        let cases = [n_pos, n_neg].map(|n| format!("{} cases", count(n)));
        chart.halves(classes, &report.study.target_condition, cases);
    } else {
        chart.last(analysed_at, "Analysed", &analysed);
    }
    let caption = "Flow of sites, patients and cases, after STARD. Numbers are sums over the sites that released \
                   results; the table gives them for each site. Numbers that a site withheld are not in the \
                   sums.";
    Figure {
        picture: chart.finish("flow", "Flow of sites, patients and cases through the study"),
        caption: Markup::text(caption),
        data: data(report),
    }
}

/// The flow at each site that released results; of many at the least favourable.
pub(super) fn of_sites(report: &Report) -> Vec<Figure> {
    ranking::few(report).into_iter().map(|of| site::figure(report, of)).collect()
}

/// What the flows of single sites are called where they are folded; says so where not every site has one.
pub(super) fn heading(report: &Report) -> String {
    let (drawn, all) = (ranking::few(report).len(), super::performance::released(report).count());
    if drawn < all {
        return format!(
            "Flow at the {drawn} least favourable of {all} sites with results, worst first"
        );
    }
    "Flow at each site with results".to_owned()
}

/// The number in each box.
fn data(report: &Report) -> Csv {
    let sum = &report.participants;
    let mut data = Csv::new(&["box", "status", "unit", "count"]);
    let mut row = |name: &str, status: &str, unit: &str, count: u64| {
        data.row([Field::Text(name), Field::Text(status), Field::Text(unit), Field::Count(count)]);
    };
    row("dispatched", "", "sites", sum.sites.dispatched);
    let without = without_results(report);
    for (status, count) in &without {
        row("without_results", status.as_str(), "sites", *count);
    }
    if without.is_empty() {
        row("without_results", "", "sites", 0);
    }
    row("with_results", "", "sites", sum.sites.released);
    let (patients, withheld) = lost(report);
    row("not_analysed", "", "patients", patients);
    if withheld > 0 {
        row("not_analysed", "", "withheld_numbers", withheld);
    }
    row("analysed", "", "patients", sum.patients);
    row("analysed", "", "cases", sum.n);
    for (name, cases) in [("with_condition", sum.n_pos), ("without_condition", sum.n_neg)] {
        if let Some(cases) = cases {
            row(name, "", "cases", cases);
        }
    }
    data
}

/// Sites without results, by what came of the round there; none that count nobody.
fn without_results(report: &Report) -> Vec<(SiteStatus, u64)> {
    let sites = &report.participants.sites;
    let mut counts = vec![
        (SiteStatus::Insufficient, sites.insufficient),
        (SiteStatus::Refused, sites.refused),
        (SiteStatus::Failed, sites.failed),
        (SiteStatus::Missing, sites.missing),
    ];
    counts.retain(|(_, count)| *count > 0);
    counts
}

fn not_released(report: &Report) -> Vec<String> {
    let part = |(status, count): (SiteStatus, u64)| match status {
        SiteStatus::Missing => format!("{count} without answer"),
        other => format!("{count} {}", other.as_str()),
    };
    let parts: Vec<String> = without_results(report).into_iter().map(part).collect();
    if parts.is_empty() {
        return vec!["Sites without results: none".to_owned()];
    }
    vec!["Sites without results".to_owned(), parts.join(", ")]
}

/// Patients with cases not analysed, and how many such numbers were withheld.
fn lost(report: &Report) -> (u64, u64) {
    let rows = || report.sites.iter().flat_map(|site: &Site| &site.attrition);
    let shown = rows().filter_map(|row| row.patients.released()).sum();
    let withheld = rows().filter(|row| row.patients.released().is_none()).map(|_| 1).sum();
    (shown, withheld)
}

fn not_analysed(report: &Report) -> Vec<String> {
    let (shown, withheld) = lost(report);
    let mut lines = vec!["Patients with cases not analysed".to_owned()];
    let mut text = count(shown);
    if withheld > 0 {
        let numbers = if withheld == 1 { "number" } else { "numbers" };
        let _ = write!(text, ", and {withheld} {numbers} withheld");
    }
    lines.push(text);
    lines
}

fn sites(n: u64) -> String {
    words::plural(n, "site")
}
