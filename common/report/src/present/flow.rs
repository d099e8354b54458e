//! The flow of sites and patients, as STARD draws it.

use std::fmt::Write as _;

use fedval_study::SiteStatus;

use super::figure::Figure;
use super::markup::Markup;
use super::number::count;
use super::picture::{Anchor, Drawing};
use super::words;
use crate::csv::{Csv, Field};
use crate::report::{Report, Site};

const WIDTH: f64 = 960.0;
const BOX: [f64; 2] = [400.0, 54.0];
/// Left edges of the two columns of boxes.
const COLUMNS: [f64; 2] = [40.0, 520.0];
const PITCH: f64 = 92.0;
const TOP: f64 = 8.0;

/// The flow over all sites.
pub(super) fn figure(report: &Report) -> Figure {
    let sum = &report.participants;
    // Of several classes, none is the condition: a table says how many patients are of which.
    let steps = if sum.n_pos.is_some() { 4.0 } else { 3.0 };
    let mut flow = Flow { drawing: Drawing::new(WIDTH, TOP + steps * PITCH), words: String::new() };
    flow.step(0, "Sites", &format!("dispatched to {}", sites(sum.sites.dispatched)));
    flow.aside(0, &not_released(report));
    flow.step(1, "Sites with results", &sites(sum.sites.released));
    flow.aside(1, &not_analysed(report));
    let analysed = format!("{} patients, {} cases", count(sum.patients), count(sum.n));
    let condition = &report.study.target_condition;
    if let (Some(n_pos), Some(n_neg)) = (sum.n_pos, sum.n_neg) {
        flow.step(2, "Analysed", &analysed);
        flow.halves(
            [&format!("With {condition}"), &format!("Without {condition}")],
            [n_pos, n_neg].map(|n| format!("{} cases", count(n))),
        );
    } else {
        flow.last(2, "Analysed", &analysed);
    }
    let title = "Flow of sites, patients and cases through the study";
    let caption = "Flow of sites, patients and cases, after STARD. Numbers are sums over the sites that released \
                   results; the table gives them for each site. Numbers that a site withheld are not in the \
                   sums.";
    Figure {
        picture: flow.drawing.finish("flow", title, &flow.words),
        caption: Markup::text(caption),
        data: data(report),
    }
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

struct Flow {
    drawing: Drawing,
    words: String,
}

impl Flow {
    /// A box of the main line, with an arrow to the next.
    fn step(&mut self, row: u8, head: &str, text: &str) {
        self.last(row, head, text);
        let y = TOP + f64::from(row) * PITCH;
        let x = COLUMNS[0] + BOX[0] / 2.0;
        self.arrow([x, y + BOX[1]], [x, y + PITCH]);
    }

    /// A box of the main line that nothing follows.
    fn last(&mut self, row: u8, head: &str, text: &str) {
        let y = TOP + f64::from(row) * PITCH;
        self.put([COLUMNS[0], y], head, &[text.to_owned()]);
    }

    /// A box beside the main line: those that go no further.
    fn aside(&mut self, row: u8, lines: &[String]) {
        let y = TOP + (f64::from(row) + 0.36) * PITCH;
        let from = [COLUMNS[0] + BOX[0] / 2.0, y + BOX[1] / 2.0 + 12.0];
        self.arrow(from, [COLUMNS[1], from[1]]);
        self.put([COLUMNS[1], y + 6.0], "", lines);
    }

    /// The two classes, side by side.
    fn halves(&mut self, heads: [&str; 2], texts: [String; 2]) {
        let y = TOP + 3.0 * PITCH;
        let [from, to] = COLUMNS.map(|left| left + BOX[0] / 2.0);
        let middle = y - (PITCH - BOX[1]) / 2.0;
        self.drawing.line("axis", [from, middle], [to, middle]);
        self.arrow([to, middle], [to, y]);
        for ((left, head), text) in COLUMNS.into_iter().zip(heads).zip(texts) {
            self.put([left, y], head, &[text]);
        }
    }

    fn put(&mut self, [x, y]: [f64; 2], head: &str, lines: &[String]) {
        self.drawing.frame("box", [x, y], BOX);
        let all: Vec<(&str, &str)> = std::iter::once(("head", head))
            .filter(|(_, head)| !head.is_empty())
            .chain(lines.iter().map(|line| ("number", line.as_str())))
            .collect();
        let first = match all.len() {
            1 => 32.0,
            2 => 23.0,
            _ => 16.0,
        };
        let mut baseline = y + first;
        for (class, text) in all {
            self.drawing.text(class, [x + 12.0, baseline], Anchor::Start, text);
            baseline += 17.0;
            self.words.push_str(text);
            self.words.push_str(". ");
        }
    }

    fn arrow(&mut self, from: [f64; 2], to: [f64; 2]) {
        self.drawing.line("axis", from, to);
        let [x, y] = to;
        let head = if from[1].total_cmp(&y).is_eq() {
            [[x, y], [x - 8.0, y - 4.0], [x - 8.0, y + 4.0]]
        } else {
            [[x, y], [x - 4.0, y - 8.0], [x + 4.0, y - 8.0]]
        };
        self.drawing.path("diamond", &head, true);
    }
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
