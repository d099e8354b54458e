//! Performance by category, at each site and across sites.

use std::borrow::Cow;

use fedval_study::protocol::StudyProtocol;
use fedval_study::{Cell, MetricId, Name, SiteId};
use rayon::prelude::*;

use super::aggregates::Aggregates;
use super::aggregates::CellName;
use super::contribution::Member;
use super::synthesis::Detail;
use super::verdict;
use super::{Answer, conditions, detection, measures, metric, site, synthesis};
use crate::report::{
    Disclosed, Estimable, Metric, Metrics, Reason, Subgroup, SubgroupAuroc, SubgroupPerformance,
    SubgroupSite, Syntheses, WithheldCode, WorstSubgroup,
};

/// A group with what the report concludes from it beside what it says of it.
pub(super) struct Assessed {
    pub(super) subgroup: Subgroup,
    /// Of each site.
    pub(super) estimates: Estimates,
    /// For each endpoint of the protocol: the least favourable site, with its estimate.
    pub(super) worst: Vec<Option<WorstSubgroup>>,
}

/// For each site and each of [`compared`]: estimate and standard error, where both exist.
pub(super) struct Estimates {
    compared: usize,
    /// Those of one site after those of another: a large report has a million.
    all: Vec<Option<(f64, f64)>>,
}

impl Estimates {
    fn of_so_many(sites: usize, compared: usize) -> Self {
        Self { compared, all: Vec::with_capacity(sites.saturating_mul(compared)) }
    }

    /// Those in one metric, site by site.
    pub(super) fn of(&self, metric: usize) -> impl Iterator<Item = Option<(f64, f64)>> {
        self.all.chunks(self.compared.max(1)).map(move |site| *site.get(metric)?)
    }
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
    // Groups hang on nothing but their own cells: beside each other they come out as one after the other. Each takes
    // long enough to be handed over alone.
    cells.par_iter().with_max_len(1).map(|cell| assess(plan, &compared, answers, *cell)).collect()
}

/// Discrimination and response, or errors, only: calibration in small groups has errors too large to pool.
pub(super) fn compared(plan: &StudyProtocol) -> Vec<MetricId> {
    let mut ids = metric::ids(plan);
    ids.retain(|id| {
        let is_called = matches!(
            id,
            MetricId::Auroc
                | MetricId::Sensitivity(_)
                | MetricId::Specificity(_)
                | MetricId::LesionSensitivity(_)
        );
        is_called || measures::is_compared(id) || conditions::is_compared(id)
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
    let mut sites = Vec::with_capacity(answers.len());
    let mut members = Vec::with_capacity(answers.len());
    let mut estimates = Estimates::of_so_many(answers.len(), compared.len());
    let mut worst: Vec<Option<WorstSubgroup>> = vec![None; plan.endpoints.len()];
    for answer in answers {
        let Some(cell) = answer.cell(plan, name) else { continue };
        let site = &answer.record.site;
        let performance = match cell {
            Cell::Released(aggregates) => {
                let member = Member::new(plan, site, aggregates);
                let found = Cellwise::new(plan, compared, &member);
                found.challenge((site, dimension, category), &mut worst);
                estimates.all.extend(found.estimates());
                let performance = found.performance();
                members.push(member);
                Disclosed::Released(performance)
            }
            Cell::Suppressed => {
                estimates.all.extend(compared.iter().map(|_| None));
                Disclosed::Withheld { withheld: WithheldCode::S }
            }
        };
        sites.push(SubgroupSite { performance, site: site.clone() });
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
    member: &'a Member<'a>,
    /// For each metric that groups are compared by.
    compared: Vec<(&'a MetricId, Result<Metric, Reason>)>,
}

impl<'a> Cellwise<'a> {
    fn new(plan: &'a StudyProtocol, compared: &'a [MetricId], member: &'a Member<'a>) -> Self {
        let metric = |id: &'a MetricId| (id, metric::estimate(plan, id, member));
        Self { plan, member, compared: compared.iter().map(metric).collect() }
    }

    fn metric(&self, id: &MetricId) -> Result<Cow<'_, Metric>, Reason> {
        match self.compared.iter().find(|(of, _)| *of == id) {
            Some((_, metric)) => metric.as_ref().map(Cow::Borrowed).map_err(|reason| *reason),
            None => metric::estimate(self.plan, id, self.member).map(Cow::Owned),
        }
    }

    fn performance(&self) -> SubgroupPerformance {
        let aggregates = self.member.aggregates;
        let (n_pos, n_neg) = aggregates.cases().unzip();
        let area = || {
            let area = self.metric(&MetricId::Auroc);
            Estimable::from(area.map(|area| SubgroupAuroc { estimate: area.estimate, ci: area.ci }))
        };
        let points = 0..self.plan.operating_points.len();
        SubgroupPerformance {
            conditions: match aggregates {
                Aggregates::Conditions(found) => conditions::of_group(found),
                _ => Vec::new(),
            },
            detection: match aggregates {
                Aggregates::Detection(found) => Some(detection::of_group(found)),
                _ => None,
            },
            n: aggregates.n(),
            n_pos,
            n_neg,
            patients: aggregates.patients(),
            auroc: self.plan.task.is_binary().then(area),
            metrics: self.by_name(),
            response: points.map(|place| site::response(self.member.calls.at(place))).collect(),
        }
    }

    /// Errors of a quantity, and areas of several conditions.
    fn by_name(&self) -> Metrics {
        let is_named = |id: &MetricId| id.is_of_quantity() || conditions::is_compared(id);
        let named = self.compared.iter().filter(|(id, _)| is_named(id));
        named.map(|(id, metric)| ((*id).clone(), metric.clone().into())).collect()
    }

    fn estimates(&self) -> impl Iterator<Item = Option<(f64, f64)>> {
        let of = |(_, metric): &(&MetricId, Result<Metric, Reason>)| {
            let metric = metric.as_ref().ok()?;
            Some((metric.estimate, *metric.se.value()?))
        };
        self.compared.iter().map(of)
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
