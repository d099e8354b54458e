//! Performance by category, at each site and across sites.

use std::borrow::Cow;

use fedval_study::protocol::StudyProtocol;
use fedval_study::{Cell, MetricId, Name, SiteId};
use rayon::prelude::*;

use super::aggregates::{Aggregates, CellName};
use super::contribution::Member;
use super::proportion::Point;
use super::synthesis::Detail;
use super::verdict;
use super::{Answer, metric, site, synthesis};
use crate::report::{
    Disclosed, Estimable, Metric, Reason, Subgroup, SubgroupAuroc, SubgroupPerformance,
    SubgroupSite, Syntheses, WithheldCode, WorstSubgroup,
};

/// A group with what the report concludes from it beside what it says of it.
pub(super) struct Assessed {
    pub(super) subgroup: Subgroup,
    /// For each site and each of [`compared`]: estimate and standard error, where both exist.
    pub(super) estimates: Vec<Vec<Option<(f64, f64)>>>,
    /// For each endpoint of the protocol: the least favourable site, with its estimate.
    pub(super) worst: Vec<Option<WorstSubgroup>>,
}

/// One for each cell of each table, in the protocol's order.
pub(super) fn all(plan: &StudyProtocol, answers: &[Answer<'_>]) -> Vec<Assessed> {
    let tables = plan.tables();
    let cells: Vec<CellName<'_>> = tables
        .iter()
        .flat_map(|table| table.categories.iter().map(move |category| (&table.name, category)))
        .enumerate()
        .map(|(place, (dimension, category))| CellName { place, dimension, category })
        .collect();
    let compared = compared(plan);
    // Groups hang on nothing but their own cells: beside each other they come out as one after the other.
    cells.par_iter().map(|cell| assess(plan, &compared, answers, *cell)).collect()
}

/// Discrimination and response only: calibration in small groups has errors too large to pool.
pub(super) fn compared(plan: &StudyProtocol) -> Vec<MetricId> {
    let mut ids = metric::ids(plan);
    ids.retain(|id| {
        matches!(id, MetricId::Auroc | MetricId::Sensitivity(_) | MetricId::Specificity(_))
    });
    ids
}

fn assess(
    plan: &StudyProtocol,
    compared: &[MetricId],
    answers: &[Answer<'_>],
    name: CellName<'_>,
) -> Assessed {
    let CellName { dimension, category, .. } = name;
    let mut sites = Vec::new();
    let mut members = Vec::new();
    let mut estimates = Vec::new();
    let mut worst: Vec<Option<WorstSubgroup>> = vec![None; plan.endpoints.len()];
    for answer in answers {
        let Some(cell) = answer.cell(plan, name) else { continue };
        let site = &answer.record.site;
        let (performance, found) = match cell {
            Cell::Released(aggregates) => {
                members.push(Member { site, aggregates });
                let found = Cellwise::new(plan, compared, aggregates);
                found.challenge((site, dimension, category), &mut worst);
                (Disclosed::Released(found.performance()), found.estimates())
            }
            Cell::Suppressed => {
                (Disclosed::Withheld { withheld: WithheldCode::S }, vec![None; compared.len()])
            }
        };
        sites.push(SubgroupSite { site: site.clone(), performance });
        estimates.push(found);
    }
    let subgroup = Subgroup {
        dimension: dimension.clone(),
        category: category.clone(),
        sites,
        synthesis: syntheses(plan, compared, &members),
    };
    Assessed { subgroup, estimates, worst }
}

/// One cell of one site.
struct Cellwise<'a> {
    plan: &'a StudyProtocol,
    aggregates: Aggregates<'a>,
    /// For each metric that groups are compared by.
    compared: Vec<(&'a MetricId, Result<Metric, Reason>)>,
}

impl<'a> Cellwise<'a> {
    fn new(plan: &'a StudyProtocol, compared: &'a [MetricId], aggregates: Aggregates<'a>) -> Self {
        let metric = |id: &'a MetricId| (id, metric::estimate(plan, id, aggregates));
        Self { plan, aggregates, compared: compared.iter().map(metric).collect() }
    }

    fn metric(&self, id: &MetricId) -> Result<Cow<'_, Metric>, Reason> {
        match self.compared.iter().find(|(of, _)| *of == id) {
            Some((_, metric)) => metric.as_ref().map(Cow::Borrowed).map_err(|reason| *reason),
            None => metric::estimate(self.plan, id, self.aggregates).map(Cow::Owned),
        }
    }

    fn performance(&self) -> SubgroupPerformance {
        let (n_pos, n_neg) = self.aggregates.cases();
        let area = self.metric(&MetricId::Auroc);
        let points = self.plan.operating_points.iter().enumerate();
        let points = points.map(|(place, point)| Point { place, name: &point.name });
        SubgroupPerformance {
            n: self.aggregates.n(),
            n_pos,
            n_neg,
            patients: self.aggregates.patients(),
            auroc: Estimable::from(
                area.map(|area| SubgroupAuroc { estimate: area.estimate, ci: area.ci }),
            ),
            response: points.map(|point| site::response(point, self.aggregates)).collect(),
        }
    }

    fn estimates(&self) -> Vec<Option<(f64, f64)>> {
        let of = |(_, metric): &(&MetricId, Result<Metric, Reason>)| {
            let metric = metric.as_ref().ok()?;
            Some((metric.estimate, *metric.se.value()?))
        };
        self.compared.iter().map(of).collect()
    }

    /// Takes the place of what was the least favourable so far, where this cell is less so.
    fn challenge(
        &self,
        (site, dimension, category): (&SiteId, &Name, &Name),
        worst: &mut [Option<WorstSubgroup>],
    ) {
        for (endpoint, worst) in self.plan.endpoints.iter().zip(worst) {
            let Ok(metric) = self.metric(&endpoint.metric) else { continue };
            let is_worse = worst.as_ref().is_none_or(|worst| {
                verdict::is_worse(endpoint, metric.estimate, worst.value.estimate)
            });
            if is_worse {
                *worst = Some(WorstSubgroup {
                    site: site.clone(),
                    dimension: dimension.clone(),
                    category: category.clone(),
                    value: verdict::against(endpoint, &metric),
                });
            }
        }
    }
}

fn syntheses(plan: &StudyProtocol, compared: &[MetricId], members: &[Member<'_>]) -> Syntheses {
    compared
        .iter()
        .map(|id| (id.clone(), synthesis::one(plan, id, members, Detail::Pooled).into()))
        .collect()
}
