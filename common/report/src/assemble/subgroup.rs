//! Performance by category, at each site and across sites.

use fedval_study::protocol::StudyProtocol;
use fedval_study::{Cell, MetricId, Name, SiteId};

use super::aggregates::Aggregates;
use super::contribution::Member;
use super::synthesis::Detail;
use super::{Answer, metric, site, synthesis};
use crate::report::{Disclosed, Subgroup, SubgroupSite, Syntheses, WithheldCode};

/// One section for each cell of each table, in the protocol's order.
pub(super) fn sections(plan: &StudyProtocol, answers: &[Answer<'_>]) -> Vec<Subgroup> {
    let tables = plan.tables();
    let cells = tables
        .iter()
        .flat_map(|table| table.categories.iter().map(move |category| (&table.name, category)));
    cells.map(|(dimension, category)| section(plan, answers, dimension, category)).collect()
}

fn section(
    plan: &StudyProtocol,
    answers: &[Answer<'_>],
    dimension: &Name,
    category: &Name,
) -> Subgroup {
    let cells = cells(plan, answers, dimension, category);
    let members: Vec<Member<'_>> = cells
        .iter()
        .filter_map(|(site, cell)| Some(Member { site, aggregates: *cell.released()? }))
        .collect();
    Subgroup {
        dimension: dimension.clone(),
        category: category.clone(),
        sites: cells
            .iter()
            .map(|(site, cell)| SubgroupSite {
                site: (*site).clone(),
                performance: match cell {
                    Cell::Released(aggregates) => {
                        Disclosed::Released(site::group(plan, *aggregates))
                    }
                    Cell::Suppressed => Disclosed::Withheld { withheld: WithheldCode::S },
                },
            })
            .collect(),
        synthesis: syntheses(plan, &members),
    }
}

/// The cell of every site that released a result.
fn cells<'a>(
    plan: &StudyProtocol,
    answers: &[Answer<'a>],
    dimension: &Name,
    category: &Name,
) -> Vec<(&'a SiteId, Cell<Aggregates<'a>>)> {
    let cell =
        |answer: &Answer<'a>| Some((&answer.record.site, answer.cell(plan, dimension, category)?));
    answers.iter().filter_map(cell).collect()
}

/// Discrimination and response only: calibration in small groups has errors too large to pool.
fn syntheses(plan: &StudyProtocol, members: &[Member<'_>]) -> Syntheses {
    metric::ids(plan)
        .into_iter()
        .filter(|id| {
            matches!(id, MetricId::Auroc | MetricId::Sensitivity(_) | MetricId::Specificity(_))
        })
        .map(|id| {
            let synthesis = synthesis::one(plan, &id, members, Detail::Pooled);
            (id, synthesis.into())
        })
        .collect()
}
