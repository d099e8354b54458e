//! Gaps between the groups of a dimension, within sites and across them.

mod earlier;

use fedval_stats::fairness::{StratifiedGap, stratified};
use fedval_stats::multiplicity::holm;
use fedval_study::protocol::{StudyProtocol, Table, TableKind};
use fedval_study::{MetricId, Name};
use rayon::prelude::*;

use super::subgroup::{self, Assessed};
use crate::report::{Estimable, Gap, GapEstimate, Reason, Subgroup};

/// Every category but the first of every dimension, in every metric of discrimination and response.
///
/// Crossings have no reference of their own: their gaps are those of their rows and columns.
/// Power is told as the round's `revision` told it.
pub(super) fn all(plan: &StudyProtocol, revision: u32, groups: &[Assessed]) -> Vec<Gap> {
    let tables = plan.tables();
    let one_way = tables.iter().filter(|table| matches!(table.kind, TableKind::OneWay(_)));
    let mut gaps: Vec<Gap> =
        one_way.flat_map(|table| of_dimension(plan, revision, table, groups)).collect();
    adjust(&mut gaps);
    gaps
}

fn of_dimension(
    plan: &StudyProtocol,
    revision: u32,
    table: &Table,
    groups: &[Assessed],
) -> Vec<Gap> {
    let find = |category: &Name| {
        let is_it = |group: &Subgroup| group.dimension == table.name && group.category == *category;
        groups.iter().find(|group| is_it(&group.subgroup))
    };
    let [first, others @ ..] = &table.categories[..] else { return Vec::new() };
    let Some(reference) = find(first) else { return Vec::new() };
    let compared = subgroup::compared(plan);
    let pairs: Vec<_> = compared
        .iter()
        .enumerate()
        .flat_map(|metric| others.iter().map(move |other| (metric, other)))
        .collect();
    pairs
        .into_par_iter()
        .filter_map(|(metric, other)| Some(one(plan, revision, metric, [find(other)?, reference])))
        .collect()
}

fn one(
    plan: &StudyProtocol,
    revision: u32,
    (index, metric): (usize, &MetricId),
    [group, reference]: [&Assessed; 2],
) -> Gap {
    let differences: Vec<(f64, f64)> = group
        .estimates
        .of(index)
        .zip(reference.estimates.of(index))
        .filter_map(|(group, reference)| difference(group, reference))
        .collect();
    let result = if differences.is_empty() {
        Err(Reason::NothingReleased)
    } else {
        let (telling, level) = (telling(plan, metric), plan.analysis.level);
        let told = |mut gap: StratifiedGap| {
            let earlier = earlier::detectable(revision, &differences, gap.tau2, level);
            gap.detectable = earlier.unwrap_or(gap.detectable);
            estimate(&gap, telling)
        };
        stratified(&differences, level).map(told).map_err(Reason::from)
    };
    Gap {
        dimension: group.subgroup.dimension.clone(),
        category: group.subgroup.category.clone(),
        reference: reference.subgroup.category.clone(),
        metric: metric.clone(),
        k: u64::try_from(differences.len()).unwrap_or(u64::MAX),
        result: result.into(),
    }
}

/// Group minus reference at one site, with its error; `None` where one of them has no value.
fn difference(group: Option<(f64, f64)>, reference: Option<(f64, f64)>) -> Option<(f64, f64)> {
    let ((group, se_group), (reference, se_reference)) = (group?, reference?);
    let se = (se_group * se_group + se_reference * se_reference).sqrt();
    (se > 0.0).then_some((group - reference, se))
}

/// The gap that must not go unseen, on the metric's scale.
#[expect(clippy::cast_precision_loss, reason = "below 2⁵³")]
fn telling(plan: &StudyProtocol, metric: &MetricId) -> f64 {
    let quantity = plan.task.quantity().filter(|_| metric.has_unit());
    let room = quantity.map_or(1.0, |quantity| quantity.largest_error_micro as f64 / 1e6);
    GapEstimate::TELLING * room
}

fn estimate(gap: &StratifiedGap, telling: f64) -> GapEstimate {
    GapEstimate {
        estimate: gap.gap.estimate,
        ci: [gap.gap.lower, gap.gap.upper],
        tau2: gap.tau2,
        p: gap.p.map_err(Reason::from).into(),
        p_holm: Estimable::not(Reason::NotDefinedForMethod),
        detectable: gap.detectable,
        powered: gap.detectable <= telling,
    }
}

/// Holm's adjustment over every gap that has a p-value.
fn adjust(gaps: &mut [Gap]) {
    let mut found: Vec<(&mut GapEstimate, f64)> = gaps
        .iter_mut()
        .filter_map(|gap| match &mut gap.result {
            Estimable::Estimated(gap) => {
                let p = *gap.p.value()?;
                Some((gap, p))
            }
            Estimable::NotEstimable { .. } => None,
        })
        .collect();
    let raw: Vec<f64> = found.iter().map(|(_, p)| *p).collect();
    // Without a single p-value there is nothing to adjust.
    let Ok(adjusted) = holm(&raw) else { return };
    for ((gap, _), p) in found.iter_mut().zip(adjusted) {
        gap.p_holm = Estimable::Estimated(p);
    }
}
