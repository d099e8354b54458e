//! Everything a reader might look for and not find, with the rule that keeps it away.

use fedval_disclosure::rules::Rule;
use fedval_study::protocol::StudyProtocol;
use fedval_study::result::SubgroupCell;
use fedval_study::{
    Cell, ConditionPerformance, DetectionPerformance, Outcome, Release, SiteId, SiteResult,
    SiteStatus,
};

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
    match (answer.result, whole_site(answer.record.status)) {
        (_, Some((code, rule))) => vec![item(site, WithheldWhat::WholeSite, rule, code)],
        (Some(result), None) => cells(site, result),
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

/// Cells for their own sake and for the sake of others: which, stays on site.
const CELL_RULES: &str = "DC-03, DC-17";

fn cells(site: &SiteId, result: &SiteResult) -> Vec<WithheldItem> {
    let failed = result.outcome.attrition().iter().filter(|row| row.patients == Cell::Suppressed);
    let mut items: Vec<WithheldItem> = failed
        .map(|row| {
            let what = WithheldWhat::Attrition { reason: row.reason };
            item(site, what, Some(Rule::Dc04), WithheldCode::S)
        })
        .collect();
    match &result.outcome {
        Outcome::Released(release) => items.extend(subgroups(site, &release.subgroups)),
        Outcome::ReleasedCoarse(release) => items.extend(subgroups(site, &release.subgroups)),
        Outcome::ReleasedNoisy(release) => items.extend(subgroups(site, &release.subgroups)),
        Outcome::ReleasedMeasures(release) => items.extend(subgroups(site, &release.subgroups)),
        Outcome::ReleasedDetection(release) => {
            items.extend(false_positives(site, release));
            items.extend(subgroups(site, &release.subgroups));
        }
        Outcome::ReleasedConditions(release) => {
            items.extend(conditions(site, release));
            items.extend(subgroups(site, &release.subgroups));
            items.extend(conditions_of_groups(site, release));
        }
        // All of a table of classes, or nothing.
        Outcome::ReleasedClasses(_)
        | Outcome::Insufficient
        | Outcome::Refused
        | Outcome::Failed(_) => {}
    }
    items
}

/// False positives that are nearly all of two patients, where they stayed.
fn false_positives(site: &SiteId, release: &Release<DetectionPerformance>) -> Vec<WithheldItem> {
    let stayed = |group: &DetectionPerformance| group.point.false_positives == Cell::Suppressed;
    let mut groups = release.subgroups.iter().filter_map(|cell| cell.performance.released());
    let of = |what| item(site, what, Some(Rule::Dc10), WithheldCode::S);
    let whole = stayed(&release.overall).then(|| of(WithheldWhat::FalsePositives));
    let groups = groups.any(stayed).then(|| of(WithheldWhat::GroupFalsePositives));
    whole.into_iter().chain(groups).collect()
}

/// Conditions of which nothing is told.
fn conditions(
    site: &SiteId,
    release: &Release<ConditionPerformance>,
) -> impl Iterator<Item = WithheldItem> {
    let cells = release.overall.conditions.iter();
    cells.filter(|cell| cell.performance.released().is_none()).map(move |cell| WithheldItem {
        site: site.clone(),
        what: WithheldWhat::Condition { condition: cell.name.clone() },
        rule: Some(CELL_RULES.to_owned()),
        code: WithheldCode::S,
    })
}

/// Conditions of which nothing is told in a group that is told of, though it is of the whole.
fn conditions_of_groups(
    site: &SiteId,
    release: &Release<ConditionPerformance>,
) -> Vec<WithheldItem> {
    let mut items = Vec::new();
    for cell in &release.subgroups {
        let Some(group) = cell.performance.released() else { continue };
        for own in &group.conditions {
            let stays = own.performance.released().is_none();
            if stays && release.overall.of(&own.name).is_some() {
                items.push(WithheldItem {
                    site: site.clone(),
                    what: WithheldWhat::GroupCondition {
                        category: cell.category.clone(),
                        condition: own.name.clone(),
                        dimension: cell.dimension.clone(),
                    },
                    rule: Some(CELL_RULES.to_owned()),
                    code: WithheldCode::S,
                });
            }
        }
    }
    items
}

fn subgroups<P>(site: &SiteId, cells: &[SubgroupCell<P>]) -> Vec<WithheldItem> {
    cells
        .iter()
        .filter(|cell| cell.performance.released().is_none())
        .map(|cell| WithheldItem {
            site: site.clone(),
            what: WithheldWhat::Subgroup {
                dimension: cell.dimension.clone(),
                category: cell.category.clone(),
            },
            rule: Some(CELL_RULES.to_owned()),
            code: WithheldCode::S,
        })
        .collect()
}

fn item(site: &SiteId, what: WithheldWhat, rule: Option<Rule>, code: WithheldCode) -> WithheldItem {
    WithheldItem { site: site.clone(), what, rule: rule.map(|rule| rule.id().to_owned()), code }
}
