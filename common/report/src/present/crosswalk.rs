//! The cross-walk to reporting guidelines.

use super::markup::Markup;
use super::table::{Row, Table};
use crate::crosswalk::{GUIDELINES, Guideline, Section};
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
        "Items of {} ({}), in our words, with the section of this report that answers each.",
        guideline.name, guideline.citation
    );
    let columns = [("Item", "text"), ("Asks for", "text"), ("Answered in", "text")];
    let mut table = Table::new(Markup::text(caption), &columns);
    let mut answered = 0_usize;
    for row in guideline.rows(report) {
        let (answer, class) = match row.answer {
            Ok(section) => {
                answered += 1;
                (link(section), "")
            }
            Err(who) => (Markup::text(format!("not available: {who}")), "muted"),
        };
        let cells = vec![Markup::text(row.asks), answer];
        table.rows.push(Row::new(Markup::text(row.id), cells).styled(class));
    }
    let heading = format!("{}: {answered} of {} items", guideline.name, table.rows.len());
    Fold { heading, table }
}

fn link(section: Section) -> Markup {
    Markup::trusted(format!(
        "<a href=\"#{}\">{}</a>",
        section.anchor(),
        Markup::text(section.title())
    ))
}
