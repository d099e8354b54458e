//! The cross-walk to reporting guidelines.

use super::markup::Markup;
use super::table::{Row, Table};
use crate::crosswalk::{Clause, Found, GUIDELINES, Guideline, Passage, Section};
use crate::package::layout;
use crate::report::Report;

/// A guideline with its table, folded until it is opened.
#[derive(Debug, Clone)]
pub(crate) struct Fold {
    /// The guideline, and how many of its items are answered.
    pub(crate) heading: String,
    /// Its items.
    pub(crate) table: Table,
}

/// One table for each guideline.
pub(super) fn tables(report: &Report) -> Vec<Fold> {
    GUIDELINES.iter().map(|guideline| fold(report, guideline)).collect()
}

fn fold(report: &Report, guideline: &Guideline) -> Fold {
    let caption = format!(
        "Items of {} ({}), in our words, with what of this report answers each, or of the locked protocol \
         beside it.",
        guideline.name, guideline.citation
    );
    let columns = [("Item", "text"), ("Asks for", "text"), ("Answered in", "text")];
    let mut table = Table::new(Markup::text(caption), &columns);
    let (mut here, mut beside) = (0_usize, 0_usize);
    for row in guideline.rows(report) {
        let (answer, class) = match row.answer {
            Found::Printed { passage, .. } => {
                here += 1;
                (printed(passage), "")
            }
            Found::Protocol(clause) => {
                beside += 1;
                (protocol(clause), "")
            }
            Found::NotHere(why) => (Markup::text(format!("not available: {why}")), "muted"),
        };
        let cells = vec![Markup::text(row.asks), answer];
        table.rows.push(Row::new(Markup::text(row.id), cells).styled(class));
    }
    let (name, all) = (guideline.name, table.rows.len());
    let heading = format!("{name}: {here} of {all} items here, {beside} in the locked protocol");
    Fold { heading, table }
}

fn printed(passage: Passage) -> Markup {
    let section = passage.section();
    let link = link(section.anchor(), section.title());
    Markup::trusted(format!("{link}: {}", Markup::text(passage.about())))
}

/// Linked to where its digest stands.
fn protocol(clause: Clause) -> Markup {
    let link = link(Section::Provenance.anchor(), "Locked protocol");
    Markup::trusted(format!("{link}, {}: <code>{}</code>", layout::PROTOCOL, clause.path()))
}

fn link(anchor: &str, text: &str) -> Markup {
    Markup::trusted(format!("<a href=\"#{anchor}\">{}</a>", Markup::text(text)))
}
