//! Tasks with several classes: their metrics at a site, and what all sites say together.

use std::borrow::Cow;

use fedval_stats::agreement::{Weighting, kappa};
use fedval_stats::multiclass::{OneVersusRest, one_versus_rest};
use fedval_study::protocol::{StudyProtocol, Task};
use fedval_study::{ClassPerformance, MetricId, Name};

use super::Answer;
use super::aggregates::Aggregates;
use super::contribution::{Member, logit_proportion, logit_share};
use super::metric::{limits, logit_wald, share};
use crate::report::{ClassSection, Estimable, Metric, Reason, SiteClasses};

/// Every metric of a task with several classes, in a fixed order.
pub(super) fn ids(task: &Task) -> Vec<MetricId> {
    let names = || task.classes().iter().map(|class| &class.name).cloned();
    let mut ids = match task {
        Task::Binary => return Vec::new(),
        Task::MultiClass(_) => vec![MetricId::MacroAuroc],
        Task::Ordinal(_) => vec![MetricId::QuadraticKappa],
    };
    ids.push(MetricId::Accuracy);
    if matches!(task, Task::MultiClass(_)) {
        ids.extend(names().map(MetricId::ClassAuroc));
    }
    ids.extend(names().flat_map(|class| {
        [MetricId::ClassSensitivity(class.clone()), MetricId::ClassSpecificity(class)]
    }));
    ids
}

/// One metric of one site.
pub(super) fn estimate(
    plan: &StudyProtocol,
    id: &MetricId,
    member: &Member<'_>,
    performance: &ClassPerformance,
) -> Result<Metric, Reason> {
    let level = plan.analysis.level;
    match id {
        MetricId::QuadraticKappa => {
            let found = kappa(&performance.cross_table()?, Weighting::Quadratic, level)?;
            let interval = found.kappa?;
            Ok(Metric {
                estimate: interval.estimate,
                se: found.se.into(),
                ci: Estimable::Estimated(limits(&interval)),
                method: Cow::Borrowed("fleiss_cohen_everitt_wald"),
            })
        }
        MetricId::MacroAuroc => {
            Ok(logit_wald(macro_area(performance)?, level, "joint_delong_logit"))
        }
        MetricId::ClassAuroc(class) => {
            Ok(logit_wald(class_area(plan, performance, class)?, level, "delong_logit"))
        }
        _ => Ok(share(&member.calls.get(id)?, level)?),
    }
}

/// The estimate of a metric on its analysis scale with its standard error there.
pub(super) fn on_scale(
    plan: &StudyProtocol,
    id: &MetricId,
    member: &Member<'_>,
    performance: &ClassPerformance,
) -> Result<(f64, f64), Reason> {
    match id {
        MetricId::QuadraticKappa => {
            let level = plan.analysis.level;
            let found = kappa(&performance.cross_table()?, Weighting::Quadratic, level)?;
            Ok((found.kappa?.estimate, found.se?))
        }
        MetricId::MacroAuroc => logit_share(macro_area(performance)?),
        MetricId::ClassAuroc(class) => logit_share(class_area(plan, performance, class)?),
        _ => Ok(logit_proportion(&member.calls.get(id)?)?),
    }
}

/// The mean of the areas with the error that their joint covariance gives it.
fn macro_area(performance: &ClassPerformance) -> Result<(f64, f64), Reason> {
    let areas = areas(performance)?;
    imperfect(areas.macro_area()?, areas.macro_se()?)
}

fn class_area(
    plan: &StudyProtocol,
    performance: &ClassPerformance,
    class: &Name,
) -> Result<(f64, f64), Reason> {
    let place = plan.task.classes().iter().position(|of| of.name == *class);
    let place = place.ok_or(Reason::InvalidInput)?;
    let areas = areas(performance)?;
    let area = (*areas.auc.get(place).ok_or(Reason::InvalidInput)?)?;
    let covariance = areas.covariance?;
    let variance = *covariance.get((place, place)).ok_or(Reason::InvalidInput)?;
    imperfect(area, variance.max(0.0).sqrt())
}

fn areas(performance: &ClassPerformance) -> Result<OneVersusRest, Reason> {
    Ok(one_versus_rest(&performance.one_versus_rest()?)?)
}

fn imperfect(area: f64, se: f64) -> Result<(f64, f64), Reason> {
    if area > 0.0 && area < 1.0 { Ok((area, se)) } else { Err(Reason::PerfectDiscrimination) }
}

/// The calls of one site.
pub(super) fn of_site(performance: &ClassPerformance) -> SiteClasses {
    SiteClasses { confusion: performance.confusion.clone(), sizes: performance.sizes() }
}

/// The calls of every site that released them, added up; `None` for a binary task.
pub(super) fn section(plan: &StudyProtocol, answers: &[Answer<'_>]) -> Option<ClassSection> {
    let names: Vec<Name> = plan.task.classes().iter().map(|class| class.name.clone()).collect();
    let is_ordered = match plan.task {
        Task::Binary => return None,
        Task::MultiClass(_) => false,
        Task::Ordinal(_) => true,
    };
    let mut confusion = vec![vec![0_u64; names.len()]; names.len()];
    let mut sites = 0;
    for answer in answers {
        let Some(Aggregates::Classes(performance)) = answer.whole(plan) else { continue };
        sites += 1;
        for (sum, row) in confusion.iter_mut().zip(&performance.confusion) {
            for (sum, count) in sum.iter_mut().zip(row) {
                *sum = sum.saturating_add(*count);
            }
        }
    }
    Some(ClassSection { confusion, names, ordered: is_ordered, sites })
}
