//! The report on paper: PDF/A-2a, with real text, tags and embedded fonts.
//!
//! Pages are laid out into plain data first (`layout`, `table`, `figure`) and painted afterwards
//! (`paint`). Time and identity come from the report, so the same report gives the same bytes.

mod face;
mod figure;
mod layout;
mod paint;
mod table;

use fedval_study::ElectronicSignature;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::present::{Card, Colour, Markup, NOBODY_SIGNED, PlainPage, Presentation, amended};
use crate::report::Report;
use face::Faces;
use layout::{Layout, Type};
use paint::About;

/// The report cannot be written as PDF.
#[derive(Debug, thiserror::Error)]
#[error("the report cannot be written as PDF: {what}")]
pub struct PdfError {
    what: String,
}

const BODY: Type = Type::new(9.2);
const SMALL: Type = Type::new(8.2);
const FACT: Type = Type::new(8.4);
/// Sizes of the page in plain language, of which the largest is taken that fits on one.
const PLAIN: [f32; 8] = [10.0, 9.4, 8.8, 8.2, 7.6, 7.0, 6.0, 5.0];

/// Renders the report with the signatures under it as PDF/A-2a; the same report gives the same bytes.
///
/// # Errors
///
/// [`PdfError`] if the library refuses, which no report makes it do.
pub fn render_pdf(
    report: &Report,
    signatures: &[ElectronicSignature],
) -> Result<Vec<u8>, PdfError> {
    paper(&Presentation::of(report, signatures))
}

/// The same of what was made ready to be shown.
pub(crate) fn paper(shown: &Presentation<'_>) -> Result<Vec<u8>, PdfError> {
    let report = shown.report;
    let faces = Faces::embedded().ok_or_else(|| PdfError { what: "no typeface".to_owned() })?;
    let mut layout = Layout::new(&faces);
    first_page(&mut layout, shown);
    plain_page(&mut layout, &shown.plain);
    evidence(&mut layout, shown);
    synthesis(&mut layout, shown);
    subgroups(&mut layout, shown);
    back_matter(&mut layout, shown);
    appendix(&mut layout, shown);
    let created = OffsetDateTime::parse(&report.round.as_of, &Rfc3339)
        .map_err(|error| PdfError { what: error.to_string() })?;
    let about = About {
        title: format!("{} – generalization report", report.study.title),
        id: format!("{}/{}", report.round.id, report.study.protocol_digest),
        created,
        footer: format!("{}, round {}", report.study.id, report.round.id),
    };
    paint::paint(layout, &about)
}

fn first_page(layout: &mut Layout<'_>, shown: &Presentation<'_>) {
    let report = shown.report;
    let interim =
        if report.round.closed_at.is_none() { " – interim: the round is still open" } else { "" };
    let kind = format!("Cross-site generalization report{interim}");
    layout.paragraph(&kind, SMALL.muted());
    layout.title(&report.study.title);
    let (study, round) = (&report.study, &report.round);
    let facts = [
        format!("Index test: {} ({})", report.model.name, report.model.digest.0.short()),
        format!("Target condition: {}", study.target_condition),
        format!(
            "Study: {}, protocol version {}{} ({})",
            study.id,
            study.version,
            amended(report),
            study.protocol_digest.0.short()
        ),
        format!("Round: {}, as of {}", round.id, round.as_of),
        format!("Disclosure control: {}", shown.control),
    ];
    for fact in &facts {
        layout.paragraph(fact, FACT);
    }
    layout.heading("Verdict on the pre-specified endpoints");
    for card in &shown.cards {
        verdict(layout, card);
    }
    layout.heading("Summary");
    layout.paragraph(&shown.summary, Type::new(10.0));
}

/// The page in plain language stands alone, so that it can be handed out by itself.
fn plain_page(layout: &mut Layout<'_>, page: &PlainPage) {
    let faces = layout.faces;
    let fits = |size: &f32| {
        let mut alone = Layout::new(faces);
        plain(&mut alone, page, Type::new(*size));
        alone.pages.len() == 1
    };
    let [.., smallest] = PLAIN;
    let size = PLAIN.into_iter().find(fits).unwrap_or(smallest);
    layout.turn();
    plain(layout, page, Type::new(size));
    layout.turn();
}

fn plain(layout: &mut Layout<'_>, page: &PlainPage, type_: Type) {
    layout.heading("In plain language");
    layout.paragraph(&page.lead, type_.muted());
    for answer in &page.answers {
        layout.subheading(answer.question);
        for sentence in &answer.sentences {
            layout.paragraph(sentence, type_);
        }
    }
}

fn verdict(layout: &mut Layout<'_>, card: &Card) {
    let colour: Colour = match card.class {
        "met" => [0x0b, 0x5c, 0x31],
        "not-met" => [0xa0, 0x1c, 0x15],
        _ => [0x6b, 0x43, 0x00],
    };
    layout.make_room(63.0);
    layout.space(3.0);
    let head = format!("{}: {}", card.word, card.endpoint);
    layout.paragraph(&head, Type::new(11.0).bold().in_colour(colour));
    layout.paragraph(&card.question, SMALL.muted());
    layout.paragraph(&card.answer.plain(), BODY.bold());
    let facts: Vec<String> = card.facts.iter().map(Markup::plain).collect();
    layout.list(facts.iter().map(String::as_str), SMALL);
}

fn evidence(layout: &mut Layout<'_>, shown: &Presentation<'_>) {
    layout.heading("Sites and participants");
    layout.figure(&shown.flow);
    layout.table(&shown.participants);
    layout.list(shown.remarks.iter().map(String::as_str), SMALL);
    shown.mix.iter().for_each(|table| layout.table(table));
    if !shown.site_flows.is_empty() {
        layout.subheading(&shown.site_flows_heading);
        shown.site_flows.iter().for_each(|figure| layout.figure(figure));
    }
    if shown.report.participants.sites.released == 0 {
        return;
    }
    layout.heading("Performance at each site");
    layout.table(&shown.performance);
    if !shown.report.study.operating_points.is_empty() {
        layout.table(&shown.responses);
    }
    shown.classes.iter().for_each(|table| layout.table(table));
    shown.froc.iter().for_each(|figure| layout.figure(figure));
    shown.detection.iter().for_each(|table| layout.table(table));
}

fn synthesis(layout: &mut Layout<'_>, shown: &Presentation<'_>) {
    let report = shown.report;
    if report.participants.sites.released == 0 {
        return;
    }
    layout.heading("Synthesis across sites");
    shown.forests.iter().for_each(|figure| layout.figure(figure));
    if !shown.further_forests.is_empty() {
        layout.paragraph("The other sites stand in the appendix, page by page.", BODY);
    }
    layout.table(&shown.synthesis);
    shown.leave_one_out.iter().for_each(|table| layout.table(table));
    shown.funnels.iter().for_each(|figure| layout.figure(figure));
    if !report.operating_points.is_empty() {
        layout.heading("Operating points");
        layout.table(&shown.accuracy);
        shown.roc_space.iter().for_each(|figure| layout.figure(figure));
        shown.predictive_values.iter().for_each(|table| layout.table(table));
    }
    if !shown.calibration.is_empty() || shown.pooled_calibration.is_some() {
        layout.heading("Calibration");
        shown.calibration.iter().for_each(|figure| layout.figure(figure));
        shown.pooled_calibration.iter().for_each(|table| layout.table(table));
    }
    if let Some(table) = &shown.utility {
        layout.heading("Clinical utility");
        shown.decision_curve.iter().for_each(|figure| layout.figure(figure));
        layout.table(table);
    }
}

fn subgroups(layout: &mut Layout<'_>, shown: &Presentation<'_>) {
    if shown.report.participants.sites.released == 0 || shown.subgroups.is_empty() {
        return;
    }
    layout.heading("Subgroups");
    shown.gaps.iter().for_each(|table| layout.table(table));
    shown.subgroups.iter().for_each(|table| layout.table(table));
}

fn back_matter(layout: &mut Layout<'_>, shown: &Presentation<'_>) {
    let report = shown.report;
    layout.heading("What was withheld, and why");
    match &shown.withheld {
        Some(table) => layout.table(table),
        None => layout.paragraph(
            "Nothing was withheld: every site released its results and every subgroup.",
            BODY,
        ),
    }
    layout.paragraph(&report.disclosure.possible_bias, BODY);
    layout.heading("Limits");
    layout.list(report.limits.iter().map(String::as_str), BODY);
    if let Some(table) = &shown.bias {
        layout.heading("Risk of bias");
        layout.table(table);
    }
    layout.heading("Reporting guidelines");
    for fold in &shown.crosswalk {
        layout.subheading(&fold.heading);
        layout.table(&fold.table);
    }
    if let Some(versions) = &shown.versions {
        layout.heading("Versions of the protocol");
        layout.list(versions.sentences.iter().map(String::as_str), BODY);
        versions.changes.iter().for_each(|table| layout.table(table));
    }
    layout.heading("Provenance");
    for (label, value) in &shown.study {
        layout.paragraph(&format!("{label}: {}", value.plain()), SMALL);
    }
    layout.table(&shown.documents);
    layout.paragraph(
        "Every number in this report follows from the signed documents that come with it. `fedval verify \
         PACKAGE --root FINGERPRINT` makes all of them again, offline, and names the first that differs.",
        BODY,
    );
    layout.heading("Signatures");
    match &shown.signatures {
        Some(table) => layout.table(table),
        None => layout.paragraph(NOBODY_SIGNED, BODY),
    }
}

/// Of many sites those that the first forest plots leave out, from the least favourable on, in the metric by which they
/// are ranked. One page for forty sites; their groups stand in the tables.
fn appendix(layout: &mut Layout<'_>, shown: &Presentation<'_>) {
    if shown.further_forests.is_empty() {
        return;
    }
    layout.heading("Appendix: the other sites, page by page");
    shown.further_forests.iter().for_each(|figure| layout.figure(figure));
}
