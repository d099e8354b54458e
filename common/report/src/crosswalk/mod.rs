//! Which section of a report answers which item of a reporting guideline.
//!
//! Items are told in our own words; numbers and topics were checked against published checklists. An item
//! that no report of this kind can answer names who has to.

mod claim_2024;
mod stard_ai;
mod tripod_ai;

use crate::report::Report;

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
    /// A section of the report.
    Section(Section),
    /// Not available here: who has to answer.
    Elsewhere(&'static str),
}

/// A section of the report that answers items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Study, model, software.
    Identity,
    /// The locked protocol, beside the report.
    Protocol,
    /// Who could take part, as the protocol states it.
    Eligibility,
    /// Verdicts on the endpoints.
    Verdicts,
    /// Sites and participants.
    Participants,
    /// The reference standard, in the study's description.
    ReferenceStandard,
    /// Performance at each site.
    Performance,
    /// Synthesis across sites.
    Synthesis,
    /// Operating points.
    OperatingPoints,
    /// Subgroups and gaps.
    Subgroups,
    /// What was withheld.
    Disclosure,
    /// Limits.
    Limits,
    /// The signed documents.
    Documents,
}

/// An item with its answer in one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Number in the guideline.
    pub id: &'static str,
    /// What it asks for.
    pub asks: &'static str,
    /// The section that answers; or what says why there is none.
    pub answer: Result<Section, &'static str>,
}

/// The guidelines, in the order in which reports show them.
pub const GUIDELINES: [Guideline; 3] =
    [tripod_ai::GUIDELINE, stard_ai::GUIDELINE, claim_2024::GUIDELINE];

impl Guideline {
    /// Every item, with the section of `report` that answers it.
    pub fn rows<'r>(&'r self, report: &'r Report) -> impl Iterator<Item = Row> + 'r {
        self.items.iter().map(|item| Row {
            id: item.id,
            asks: item.asks,
            answer: match item.answer {
                Answer::Section(section) => section.of(report),
                Answer::Elsewhere(who) => Err(who),
            },
        })
    }
}

impl Section {
    /// The section, where this report has it.
    fn of(self, report: &Report) -> Result<Self, &'static str> {
        let released = report.participants.sites.released > 0;
        let is_there = match self {
            Self::Performance | Self::Synthesis => released,
            Self::OperatingPoints => released && !report.operating_points.is_empty(),
            Self::Subgroups => released && !report.subgroups.is_empty(),
            Self::Eligibility => !report.study.eligibility.is_empty(),
            _ => true,
        };
        if is_there { Ok(self) } else { Err(self.absent()) }
    }

    /// Why a report has no such section.
    const fn absent(self) -> &'static str {
        match self {
            Self::Eligibility => "the protocol states no eligibility",
            Self::OperatingPoints => {
                "the protocol names no operating point, or no site released one"
            }
            Self::Subgroups => "the protocol names no subgroup, or no site released one",
            _ => "no site released results",
        }
    }

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Identity => "Study and model",
            Self::Protocol => "Locked protocol",
            Self::Eligibility => "Eligibility",
            Self::Verdicts => "Verdicts",
            Self::Participants => "Sites and participants",
            Self::ReferenceStandard => "Reference standard",
            Self::Performance => "Performance at each site",
            Self::Synthesis => "Synthesis across sites",
            Self::OperatingPoints => "Operating points",
            Self::Subgroups => "Subgroups",
            Self::Disclosure => "What was withheld",
            Self::Limits => "Limits",
            Self::Documents => "Provenance",
        }
    }

    /// Where it stands on the page.
    pub(crate) const fn anchor(self) -> &'static str {
        match self {
            Self::Identity
            | Self::Protocol
            | Self::Eligibility
            | Self::ReferenceStandard
            | Self::Documents => "provenance",
            Self::Verdicts => "verdicts",
            Self::Participants => "participants",
            Self::Performance => "performance",
            Self::Synthesis => "synthesis",
            Self::OperatingPoints => "operating-points",
            Self::Subgroups => "subgroups",
            Self::Disclosure => "withheld",
            Self::Limits => "limits",
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
