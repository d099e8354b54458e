//! The flow of patients and cases at one site.

use super::chart::{BOX, Chart, PITCH, height};
use crate::csv::{Csv, Field};
use crate::present::figure::Figure;
use crate::present::markup::Markup;
use crate::present::number::count;
use crate::present::words;
use crate::report::{Attrition, Report, Site};

/// Top of the first box, below the site's name.
const FIRST: f64 = 28.0;

/// The flow at a site that released a result.
pub(super) fn figure(report: &Report, site: &Site) -> Figure {
    let lost = not_analysed(&site.attrition);
    // The box of those who go no further stands between two of the main line.
    let beside = FIRST + BOX[1] + 6.0;
    let analysed_at = beside + height(lost.len()) + 6.0;
    let classes = site.n_pos.value().zip(site.n_neg.value());
    let end = analysed_at + if classes.is_some() { 2.0 * PITCH } else { PITCH };
    let mut chart = Chart::new(end);
    chart.title(site.id.as_str());
    let (date, _) = site.dispatched_at.split_once('T').unwrap_or((site.dispatched_at.as_str(), ""));
    chart.step([FIRST, analysed_at], "Study dispatched", date);
    chart.aside(beside, &lost);
    let analysed = analysed(site);
    if let Some((n_pos, n_neg)) = classes {
        let at = analysed_at + PITCH;
        chart.step([analysed_at, at], "Analysed", &analysed);
        let cases = [n_pos, n_neg].map(|n| format!("{} cases", count(*n)));
        chart.halves(at, &report.study.target_condition, cases);
    } else {
        chart.last(analysed_at, "Analysed", &analysed);
    }
    let title = format!("Flow of patients and cases at {}", site.id);
    let caption = format!(
        "Flow of patients and cases at {}, after STARD. A patient counts under every reason that applies.",
        site.id
    );
    Figure {
        picture: chart.finish(&format!("flow-{}", site.id), &title),
        caption: Markup::text(caption),
        data: data(site),
    }
}

fn analysed(site: &Site) -> String {
    let of = |number: Option<&u64>| number.map_or_else(|| "—".to_owned(), |number| count(*number));
    format!("{} patients, {} cases", of(site.patients.value()), of(site.n.value()))
}

/// A line for each reason.
fn not_analysed(rows: &[Attrition]) -> Vec<String> {
    let head = "Patients with cases not analysed";
    if rows.is_empty() {
        return vec![format!("{head}: none")];
    }
    let line = |row: &Attrition| {
        let patients = row.patients.released().map_or_else(|| "withheld".to_owned(), |n| count(*n));
        format!("{}: {patients}", words::failure(row.reason))
    };
    std::iter::once(head.to_owned()).chain(rows.iter().map(line)).collect()
}

/// The number in each box.
fn data(site: &Site) -> Csv {
    let mut data = Csv::new(&["box", "status", "unit", "count"]);
    let mut row = |name: &str, status: &str, unit: &str, count: u64| {
        data.row([Field::Text(name), Field::Text(status), Field::Text(unit), Field::Count(count)]);
    };
    for lost in &site.attrition {
        let (unit, patients) =
            lost.patients.released().map_or(("withheld_numbers", 1), |n| ("patients", *n));
        row("not_analysed", lost.reason.as_str(), unit, patients);
    }
    if site.attrition.is_empty() {
        row("not_analysed", "", "patients", 0);
    }
    for (name, unit, number) in [
        ("analysed", "patients", &site.patients),
        ("analysed", "cases", &site.n),
        ("with_condition", "cases", &site.n_pos),
        ("without_condition", "cases", &site.n_neg),
    ] {
        if let Some(number) = number.value() {
            row(name, "", unit, *number);
        }
    }
    data
}
