//! What of a report answers which item of a reporting guideline.
//!
//! Items are told in our own words; numbers and topics were checked against published checklists. An item
//! that no report of this kind can answer names who has to.

mod claim_2024;
mod clause;
mod passage;
mod stard_ai;
mod tripod_ai;

use crate::report::Report;
pub use clause::Clause;
pub use passage::{Passage, Section};

/// A reporting guideline.
#[derive(Debug)]
pub struct Guideline {
    /// Its name.
    pub name: &'static str,
    /// Where it was published.
    pub citation: &'static str,
    items: &'static [Item],
}

/// One item of a guideline.
#[derive(Debug)]
struct Item {
    id: &'static str,
    asks: &'static str,
    answer: Answer,
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    /// Printed in the report, where there is something to print.
    Printed(Passage),
    /// Stated by the locked protocol beside the report.
    Protocol(Clause),
    /// Not available here: who has to answer.
    Elsewhere(&'static str),
}

/// What one report says to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Printed in the report.
    Printed {
        /// What.
        passage: Passage,
        /// The words by which it is known in its section.
        words: &'static str,
    },
    /// Stated by the locked protocol beside the report.
    Protocol(Clause),
    /// Not available: why, or who has to answer.
    NotHere(&'static str),
}

/// An item with its answer in one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Number in the guideline.
    pub id: &'static str,
    /// What it asks for.
    pub asks: &'static str,
    /// What answers it.
    pub answer: Found,
}

/// The guidelines, in the order in which reports show them.
pub const GUIDELINES: [Guideline; 3] =
    [tripod_ai::GUIDELINE, stard_ai::GUIDELINE, claim_2024::GUIDELINE];

impl Guideline {
    /// Every item, with what of `report` answers it.
    pub fn rows<'r>(&'r self, report: &'r Report) -> impl Iterator<Item = Row> + 'r {
        self.items.iter().map(|item| Row {
            id: item.id,
            asks: item.asks,
            answer: item.answer.in_report(report),
        })
    }
}

impl Answer {
    fn in_report(self, report: &Report) -> Found {
        match self {
            Self::Printed(passage) => match passage.words(report) {
                Ok(words) => Found::Printed { passage, words },
                Err(why) => Found::NotHere(why),
            },
            Self::Protocol(clause) => Found::Protocol(clause),
            Self::Elsewhere(who) => Found::NotHere(who),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_item_of_a_guideline_stands_once() {
        for (guideline, items, numbers) in
            GUIDELINES.iter().zip([(52, 27), (48, 40), (44, 44)]).map(|(g, (i, n))| (g, i, n))
        {
            let ids: BTreeSet<_> = guideline.items.iter().map(|item| item.id).collect();
            assert_eq!((ids.len(), guideline.items.len()), (items, items), "{}", guideline.name);
            let number = |id: &&str| id.trim_end_matches(char::is_alphabetic).to_owned();
            let found: BTreeSet<_> = ids.iter().map(number).collect();
            assert_eq!(found.len(), numbers, "{}", guideline.name);
        }
    }
}
