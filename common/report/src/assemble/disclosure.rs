//! Everything a reader might look for and not find, with the rule that keeps it away.

use fedval_disclosure::rules::Rule;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{Cell, Release, SiteId, SiteStatus, Suppression};

use super::{Answer, statement};
use crate::report::{DisclosureSection, WithheldCode, WithheldItem, WithheldWhat};

/// The disclosure section.
pub(super) fn section(plan: &StudyProtocol, answers: &[Answer<'_>]) -> DisclosureSection {
    let withheld: Vec<WithheldItem> = answers.iter().flat_map(of_site).collect();
    DisclosureSection {
        profile: plan.disclosure.profile,
        k: plan.disclosure.k,
        policy_digests: answers
            .iter()
            .filter_map(|answer| Some((answer.record.site.clone(), answer.result?.header.policy?)))
            .collect(),
        possible_bias: statement::possible_bias(&withheld).to_owned(),
        withheld,
    }
}

fn of_site(answer: &Answer<'_>) -> Vec<WithheldItem> {
    let site = &answer.record.site;
    match (answer.release(), whole_site(answer.record.status)) {
        (Some(release), _) => cells(site, release),
        (None, Some((code, rule))) => vec![item(site, WithheldWhat::WholeSite, rule, code)],
        (None, None) => Vec::new(),
    }
}

/// Why nothing of a site is here.
const fn whole_site(status: SiteStatus) -> Option<(WithheldCode, Option<Rule>)> {
    match status {
        SiteStatus::Released => None,
        SiteStatus::Insufficient => Some((WithheldCode::Insufficient, Some(Rule::Dc02))),
        // The rule that made a site refuse stays on site.
        SiteStatus::Refused => Some((WithheldCode::Refused, None)),
        SiteStatus::Failed => Some((WithheldCode::Failed, None)),
        SiteStatus::Missing => Some((WithheldCode::Missing, None)),
    }
}

fn cells(site: &SiteId, release: &Release) -> Vec<WithheldItem> {
    let attrition = release.attrition.iter().filter_map(|row| {
        let why = suppression(&row.patients)?;
        let what = WithheldWhat::Attrition { reason: row.reason };
        Some(item(site, what, Some(Rule::Dc04), why.into()))
    });
    let subgroups = release.subgroups.iter().filter_map(|cell| {
        let why = suppression(&cell.performance)?;
        let rule = match why {
            Suppression::Primary => Rule::Dc03,
            Suppression::Complementary => Rule::Dc17,
        };
        let what = WithheldWhat::Subgroup {
            dimension: cell.dimension.clone(),
            category: cell.category.clone(),
        };
        Some(item(site, what, Some(rule), why.into()))
    });
    attrition.chain(subgroups).collect()
}

const fn suppression<T>(cell: &Cell<T>) -> Option<Suppression> {
    match cell {
        Cell::Released(_) => None,
        Cell::Suppressed(why) => Some(*why),
    }
}

fn item(site: &SiteId, what: WithheldWhat, rule: Option<Rule>, code: WithheldCode) -> WithheldItem {
    WithheldItem { site: site.clone(), what, rule: rule.map(|rule| rule.id().to_owned()), code }
}
