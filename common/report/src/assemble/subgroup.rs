//! Performance by category, at each site and across sites.

use fedval_study::protocol::StudyProtocol;
use fedval_study::{Cell, MetricId, Name, Performance, SiteId};

use super::contribution::Member;
use super::{Answer, metric, site, synthesis};
use crate::report::{Disclosed, Subgroup, SubgroupSite, Syntheses};

/// One section for each category of each dimension, in the protocol's order.
pub(super) fn sections(plan: &StudyProtocol, answers: &[Answer<'_>]) -> Vec<Subgroup> {
    plan.subgroups
        .iter()
        .flat_map(|dimension| {
            dimension.category_names().into_iter().map(move |category| (&dimension.name, category))
        })
        .map(|(dimension, category)| section(plan, answers, dimension, category))
        .collect()
}

fn section(
    plan: &StudyProtocol,
    answers: &[Answer<'_>],
    dimension: &Name,
    category: &Name,
) -> Subgroup {
    let cells = cells(answers, dimension, category);
    let members: Vec<Member<'_>> = cells
        .iter()
        .filter_map(|(site, cell)| Some(Member { site, performance: cell.released()? }))
        .collect();
    Subgroup {
        dimension: dimension.clone(),
        category: category.clone(),
        sites: cells
            .iter()
            .map(|(site, cell)| SubgroupSite {
                site: (*site).clone(),
                performance: match cell {
                    Cell::Released(performance) => {
                        Disclosed::Released(site::group(plan, performance))
                    }
                    Cell::Suppressed(why) => Disclosed::Withheld { withheld: (*why).into() },
                },
            })
            .collect(),
        synthesis: syntheses(plan, &members),
    }
}

/// The cell of every site that released a result.
fn cells<'a>(
    answers: &[Answer<'a>],
    dimension: &Name,
    category: &Name,
) -> Vec<(&'a SiteId, &'a Cell<Performance>)> {
    answers
        .iter()
        .filter_map(|answer| {
            let cell = answer
                .release()?
                .subgroups
                .iter()
                .find(|cell| cell.dimension == *dimension && cell.category == *category)?;
            Some((&answer.record.site, &cell.performance))
        })
        .collect()
}

/// Discrimination and response only: calibration in small groups has errors too large to pool.
fn syntheses(plan: &StudyProtocol, members: &[Member<'_>]) -> Syntheses {
    metric::ids(plan)
        .into_iter()
        .filter(|id| {
            matches!(id, MetricId::Auroc | MetricId::Sensitivity(_) | MetricId::Specificity(_))
        })
        .map(|id| {
            let synthesis = synthesis::one(plan, &id, members);
            (id, synthesis.into())
        })
        .collect()
}
