//! Tasks with several conditions: the metrics of each at a site, and what all sites say together.

use fedval_study::conditions::ConditionCell;
use fedval_study::protocol::{Condition, OperatingPoint, StudyProtocol};
use fedval_study::{Cell, ConditionMetric, ConditionPerformance, MetricId, Name, Performance};

use super::Answer;
use super::aggregates::Aggregates;
use super::contribution::{Member, exact_on_scale, logit_proportion, logit_share};
use super::metric::{exact, logit_wald, share};
use super::site;
use crate::report::{
    ConditionSummary, Disclosed, GroupCondition, Metric, Reason, SiteCondition, WithheldCode,
};

/// Every metric of a task with several conditions, in a fixed order.
pub(super) fn ids(plan: &StudyProtocol) -> Vec<MetricId> {
    let of_condition = |condition: &Condition| {
        let name = condition.name.clone();
        ConditionMetric::ALL.map(|metric| MetricId::OfCondition(metric, name.clone()))
    };
    let at_point = |point: &OperatingPoint| {
        [MetricId::Sensitivity(point.name.clone()), MetricId::Specificity(point.name.clone())]
    };
    std::iter::once(MetricId::MacroAuroc)
        .chain(plan.task.conditions().iter().flat_map(of_condition))
        .chain(plan.operating_points.iter().flat_map(at_point))
        .collect()
}

/// One metric of one site.
pub(super) fn estimate(
    plan: &StudyProtocol,
    id: &MetricId,
    member: &Member<'_>,
    performance: &ConditionPerformance,
) -> Result<Metric, Reason> {
    let level = plan.analysis.level;
    match id {
        MetricId::MacroAuroc => {
            let method = match performance.macro_se_nano {
                Cell::Released(_) => "joint_delong_by_patient_logit",
                Cell::Suppressed => "mean_of_delong_errors_logit",
            };
            Ok(logit_wald(macro_area(performance)?, level, method))
        }
        MetricId::OfCondition(metric, condition) => {
            exact(&metric.of_one(), of(performance, condition)?, level)
        }
        _ => Ok(share(&member.calls.get(id)?, level)?),
    }
}

/// The estimate of a metric on its analysis scale with its standard error there.
pub(super) fn on_scale(
    id: &MetricId,
    member: &Member<'_>,
    performance: &ConditionPerformance,
) -> Result<(f64, f64), Reason> {
    match id {
        MetricId::MacroAuroc => logit_share(macro_area(performance)?),
        MetricId::OfCondition(metric, condition) => {
            exact_on_scale(&metric.of_one(), of(performance, condition)?)
        }
        _ => Ok(logit_proportion(&member.calls.get(id)?)?),
    }
}

/// The mean of the areas with the error that it has between patients of the site, or the most that it can have.
fn macro_area(performance: &ConditionPerformance) -> Result<(f64, f64), Reason> {
    let (area, se) = performance.macro_area().ok_or(Reason::Withheld)?;
    if area <= 0.0 || area >= 1.0 {
        Err(Reason::PerfectDiscrimination)
    } else if se <= 0.0 {
        Err(Reason::ZeroVariance)
    } else {
        Ok((area, se))
    }
}

/// Whether groups are compared by the metric: the area of each condition. The error of their mean leaves of no group.
pub(super) const fn is_compared(id: &MetricId) -> bool {
    matches!(id, MetricId::OfCondition(ConditionMetric::Auroc, _))
}

/// The aggregates of one condition.
pub(super) fn of<'p>(
    performance: &'p ConditionPerformance,
    condition: &Name,
) -> Result<&'p Performance, Reason> {
    performance.of(condition).ok_or(Reason::Withheld)
}

/// The condition whose score an operating point cuts; `None` in a study of one.
pub(super) fn cut_by<'p>(plan: &'p StudyProtocol, point: &Name) -> Option<&'p Condition> {
    let mut conditions = plan.task.conditions().iter();
    conditions.find(|condition| condition.operating_points.contains(point))
}

/// The aggregates of the condition whose score an operating point cuts.
pub(super) fn at_point<'p>(
    plan: &StudyProtocol,
    performance: &'p ConditionPerformance,
    point: &Name,
) -> Result<&'p Performance, Reason> {
    of(performance, &cut_by(plan, point).ok_or(Reason::InvalidInput)?.name)
}

/// Patients on the smaller and on the larger side of an area; of the mean, those of the area with the fewest on a side.
pub(super) fn sides(id: &MetricId, performance: &ConditionPerformance) -> Option<(u64, u64)> {
    let side = |found: &Performance| {
        let (with, without) = (found.ranks.n_pos, found.ranks.n_neg);
        (with.min(without), with.max(without))
    };
    match id {
        MetricId::OfCondition(ConditionMetric::Auroc, condition) => {
            performance.of(condition).map(side)
        }
        MetricId::MacroAuroc => {
            let shown = performance.conditions.iter();
            shown.filter_map(|cell| cell.performance.released()).map(side).min()
        }
        _ => None,
    }
}

/// Patients of one site by condition.
pub(super) fn of_site(performance: &ConditionPerformance) -> Vec<SiteCondition> {
    let row = |(cell, counts): (&ConditionCell, GroupCondition)| {
        let found = cell.performance.released().ok_or(Reason::Withheld);
        let GroupCondition { missing, n_neg, n_pos, name } = counts;
        let calibration_line = found.and_then(site::line_of).into();
        SiteCondition { calibration_line, missing, n_neg, n_pos, name }
    };
    performance.conditions.iter().zip(of_group(performance)).map(row).collect()
}

/// Patients of one group, or of all, by condition.
pub(super) fn of_group(performance: &ConditionPerformance) -> Vec<GroupCondition> {
    let row = |cell: &ConditionCell| {
        let count = |of: &dyn Fn(&Performance) -> u64| match cell.performance.released() {
            Some(found) => Disclosed::Released(of(found)),
            None => Disclosed::Withheld { withheld: WithheldCode::S },
        };
        GroupCondition {
            missing: count(&|found| performance.missing(found)),
            n_neg: count(&|found| found.patients.with_negative),
            n_pos: count(&|found| found.patients.with_positive),
            name: cell.name.clone(),
        }
    };
    performance.conditions.iter().map(row).collect()
}

/// Each condition of the study over the sites that released it; none of other tasks.
pub(super) fn section(plan: &StudyProtocol, answers: &[Answer<'_>]) -> Vec<ConditionSummary> {
    let one = |condition: &Condition| {
        let mut sum = ConditionSummary {
            missing: 0,
            n_neg: 0,
            n_pos: 0,
            name: condition.name.clone(),
            operating_points: condition.operating_points.clone(),
            sites: 0,
        };
        for answer in answers {
            let Some(Aggregates::Conditions(performance)) = answer.whole(plan) else { continue };
            let Some(found) = performance.of(&condition.name) else { continue };
            let add = |total: &mut u64, count: u64| *total = total.saturating_add(count);
            add(&mut sum.missing, performance.missing(found));
            add(&mut sum.n_neg, found.patients.with_negative);
            add(&mut sum.n_pos, found.patients.with_positive);
            sum.sites += 1;
        }
        sum
    };
    plan.task.conditions().iter().map(one).collect()
}
