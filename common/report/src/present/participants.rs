//! Sites, participants and attrition, in the words of STARD.

use fedval_study::ScoreSource;
use fedval_study::protocol::Combine;

use super::markup::{Markup, escape};
use super::number::{count, share};
use super::ranking::Ranking;
use super::table::{Row, Table};
use super::words;
use crate::report::{Attrition, Estimable, QuantitySection, Report, Site};

/// One row a site, with the totals of what was released.
pub(super) fn table(report: &Report, shown: &Ranking<'_>) -> Table {
    let caption = Markup::text(format!(
        "Sites, participants and attrition. Counts of patients and cases stand for released \
         results alone; totals are sums over all sites that released.{}",
        shown.caption()
    ));
    let mut table = Table::new(
        caption,
        &[
            ("Site", "text"),
            ("Outcome of the round", "text"),
            ("Patients analysed", "number"),
            ("Cases analysed", "number"),
            ("With condition", "number"),
            ("Without", "number"),
            ("Patients with cases not analysed", "text"),
        ],
    );
    table.rows = shown.sites.iter().map(|site| row(site)).collect();
    table.rows.push(total(report));
    if report.participants.n_pos.is_none() {
        without_condition(&mut table);
    }
    table
}

/// Where there is no one condition: several classes stand in a table of their own.
fn without_condition(table: &mut Table) {
    table.columns.drain(4..6);
    for row in &mut table.rows {
        row.cells.drain(3..5);
    }
}

fn row(site: &Site) -> Row {
    let number = |value: &Estimable<u64>| match value {
        Estimable::Estimated(value) => Markup::text(count(*value)),
        // The outcome in the same row says why.
        Estimable::NotEstimable { .. } => Markup::text("—"),
    };
    let cells = [number(&site.patients), number(&site.n)];
    let with = match (site.n_pos.value(), site.n.value()) {
        (Some(part), Some(whole)) => {
            Markup::text(format!("{} ({})", count(*part), share(*part, *whole)))
        }
        _ => Markup::text("—"),
    };
    let without = number(&site.n_neg);
    let [patients, cases] = cells;
    let attrition =
        if site.metrics.is_empty() { Markup::text("—") } else { attrition(&site.attrition) };
    let outcome = Markup::text(outcome(site));
    let cells = vec![outcome, patients, cases, with, without, attrition];
    let row = Row::new(Markup::text(site.id.as_str()), cells);
    if site.metrics.is_empty() { row.styled("muted") } else { row }
}

fn outcome(site: &Site) -> String {
    match site.failed_stage {
        Some(stage) => format!("failed: {}", words::stage(stage)),
        None if site.scores == Some(ScoreSource::PredictionTable) => {
            format!("{}, from scores made elsewhere", words::status(site.status))
        }
        None => words::status(site.status).to_owned(),
    }
}

fn attrition(rows: &[Attrition]) -> Markup {
    if rows.is_empty() {
        return Markup::text("none");
    }
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let patients = match row.patients.released() {
                Some(patients) => count(*patients),
                None => "withheld".to_owned(),
            };
            escape(&format!("{}: {patients}", words::failure(row.reason)))
        })
        .collect();
    Markup::trusted(lines.join("<br>"))
}

fn total(report: &Report) -> Row {
    let sum = &report.participants;
    let outcome = format!("{} of {} sites released", sum.sites.released, sum.sites.dispatched);
    Row::new(
        Markup::text("All released"),
        vec![
            Markup::text(outcome),
            Markup::text(count(sum.patients)),
            Markup::text(count(sum.n)),
            sum.n_pos.map_or_else(Markup::default, |n_pos| {
                Markup::text(match sum.n {
                    0 => count(n_pos),
                    n => format!("{} ({})", count(n_pos), share(n_pos, n)),
                })
            }),
            sum.n_neg.map_or_else(Markup::default, |n_neg| Markup::text(count(n_neg))),
            Markup::default(),
        ],
    )
    .styled("pooled")
}

/// The words under the table: eligibility, units and what counts as attrition.
pub(super) fn remarks(report: &Report) -> Vec<String> {
    let study = &report.study;
    let quantity = report.quantity.as_ref().map(bounds);
    let mut remarks = vec![
        format!("Eligibility: {}.", or_unstated(&study.eligibility)),
        format!("Reference standard: {}.", or_unstated(&study.reference_standard)),
        format!("Unit of analysis: {}.", unit_of_analysis(report)),
        "A case without a usable result of the index test or without a reference standard is not \
         analysed; its patient counts under every reason that applies. Reasons that concern fewer \
         patients than the site's k are folded into other reasons or withheld."
            .to_owned(),
        format!(
            "A site whose failed cases exceed {} of its cases reports a failed evaluation instead \
             of results.",
            super::number::level(study.failure_limit)
        ),
    ];
    remarks.extend(preprocessing(report));
    remarks.extend(quantity);
    remarks.extend(report.segmentation.as_ref().map(super::masks::remark));
    remarks.extend(super::conditions::remark(report));
    remarks
}

/// A text of the protocol on one line, without its full stop.
fn or_unstated(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.trim_end_matches('.') {
        "" => "not stated in the protocol".to_owned(),
        stated => stated.to_owned(),
    }
}

/// Where images were shown to be prepared as the protocol says; nothing where no site was asked to show it.
fn preprocessing(report: &Report) -> Option<String> {
    let from_images =
        |site: &&Site| !site.metrics.is_empty() && site.scores == Some(ScoreSource::Model);
    let sites: Vec<&Site> = report.sites.iter().filter(from_images).collect();
    let named = |sites: &[&&Site]| -> String {
        let names: Vec<&str> = sites.iter().map(|site| site.id.as_str()).collect();
        names.join(", ")
    };
    let (agree, silent): (Vec<_>, Vec<_>) =
        sites.iter().partition(|site| site.preprocessing.is_some());
    if agree.is_empty() {
        return None;
    }
    let agreed = "came out as the protocol says";
    Some(if silent.is_empty() {
        format!(
            "Preprocessing: synthetic probe images {agreed} at every site whose results rest on images."
        )
    } else {
        format!(
            "Preprocessing: synthetic probe images {agreed} at {}; nothing was shown of {}.",
            named(&agree),
            named(&silent)
        )
    })
}

fn unit_of_analysis(report: &Report) -> &'static str {
    let study = &report.study;
    match (&report.quantity, study.combine) {
        (Some(_), Some(Combine::Mean)) => "patient, by the mean error of the images",
        (None, Some(Combine::Mean)) if report.segmentation.is_some() => {
            "patient, by the mean of the images in which both masks hold the structure"
        }
        _ => words::unit(study.unit, study.combine),
    }
}

/// What bounds a patient's influence.
fn bounds(quantity: &QuantitySection) -> String {
    let QuantitySection { grid, largest_error, lower, name, unit, upper } = quantity;
    let unit = if unit.is_empty() { String::new() } else { format!("\u{a0}{unit}") };
    format!(
        "Values of {name} below {lower}{unit} or above {upper}{unit} count as these, and a patient's error beyond \
         {largest_error}{unit} counts as that. Sites round means so coarsely that one patient moves them by a step at most, and \
         never more finely than to {grid}{unit}; intervals allow for it."
    )
}
