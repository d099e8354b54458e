//! Tasks with several classes: their metrics at a site, and what all sites say together.

use std::borrow::Cow;

use fedval_stats::agreement::{Weighting, kappa};
use fedval_stats::auroc::delong;
use fedval_study::classes::ClassAreas;
use fedval_study::protocol::{StudyProtocol, Task};
use fedval_study::{ClassPerformance, MetricId, Name};

use super::Answer;
use super::aggregates::Aggregates;
use super::contribution::{Member, logit_proportion, logit_share, number};
use super::metric::{limits, logit_wald, share};
use crate::report::{ClassSection, Metric, Reason, SiteClasses};

/// Every metric of a task with several classes, in a fixed order.
pub(super) fn ids(task: &Task) -> Vec<MetricId> {
    let names = || task.classes().iter().map(|class| &class.name).cloned();
    let mut ids = match task {
        Task::Binary
        | Task::MultiLabel(_)
        | Task::Regression(_)
        | Task::Detection(_)
        | Task::Segmentation(_) => return Vec::new(),
        Task::MultiClass(_) => vec![MetricId::MacroAuroc],
        Task::Ordinal(_) => vec![MetricId::QuadraticKappa],
    };
    ids.extend([MetricId::BalancedAccuracy, MetricId::Accuracy]);
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
            let varies = varies(performance);
            Ok(Metric {
                estimate: interval.estimate,
                se: varies.and_then(|()| Ok(found.se?)).into(),
                ci: varies.map(|()| limits(&interval)).into(),
                method: Cow::Borrowed("fleiss_cohen_everitt_wald"),
            })
        }
        MetricId::MacroAuroc => {
            Ok(logit_wald(macro_area(performance)?, level, "joint_delong_logit"))
        }
        MetricId::ClassAuroc(class) => {
            Ok(logit_wald(class_area(plan, performance, class)?, level, "delong_logit"))
        }
        MetricId::BalancedAccuracy => {
            Ok(logit_wald(balanced_accuracy(performance)?, level, "mean_of_shares_logit"))
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
            varies(performance)?;
            let found = kappa(&performance.cross_table()?, Weighting::Quadratic, level)?;
            Ok((found.kappa?.estimate, found.se?))
        }
        MetricId::MacroAuroc => logit_share(macro_area(performance)?),
        MetricId::ClassAuroc(class) => logit_share(class_area(plan, performance, class)?),
        MetricId::BalancedAccuracy => logit_share(balanced_accuracy(performance)?),
        _ => Ok(logit_proportion(&member.calls.get(id)?)?),
    }
}

/// Whether agreement has an error: where all patients are called one class, are of one class, or are called right,
/// it has none, and rounding would leave one that says nothing.
fn varies(performance: &ClassPerformance) -> Result<(), Reason> {
    let is_one = |counts: Vec<u64>| counts.iter().filter(|count| **count > 0).count() < 2;
    let right: u64 = (0..performance.classes()).map(|class| performance.right(class)).sum();
    if is_one(performance.called()) || is_one(performance.sizes()) {
        Err(Reason::ConstantScore)
    } else if right == performance.patients() {
        Err(Reason::ZeroVariance)
    } else {
        Ok(())
    }
}

/// The mean over classes of the share that is called right, with its error: classes are independent. A class that is
/// called right throughout is not known for certain to be so: half a case is added on each side before its error is
/// taken.
fn balanced_accuracy(performance: &ClassPerformance) -> Result<(f64, f64), Reason> {
    let (mut mean, mut variance, mut classes) = (0.0, 0.0, 0.0);
    for (class, size) in performance.sizes().into_iter().enumerate() {
        if size == 0 {
            return Err(Reason::EmptyInput);
        }
        let (right, size) = (number(performance.right(class)), number(size));
        let share = (right + 0.5) / (size + 1.0);
        mean += right / size;
        variance += share * (1.0 - share) / size;
        classes += 1.0;
    }
    uncertain(mean / classes, variance.sqrt() / classes)
}

/// The mean of the areas with the error that their joint covariance gave it at the site.
fn macro_area(performance: &ClassPerformance) -> Result<(f64, f64), Reason> {
    let areas = areas(performance)?;
    uncertain(areas.macro_area()?, areas.macro_se())
}

fn class_area(
    plan: &StudyProtocol,
    performance: &ClassPerformance,
    class: &Name,
) -> Result<(f64, f64), Reason> {
    let place = plan.task.classes().iter().position(|of| of.name == *class);
    let ranks = place.and_then(|place| areas(performance).ok()?.ranks.get(place));
    let area = delong(ranks.ok_or(Reason::InvalidInput)?)?;
    uncertain(area.auc, area.se)
}

fn areas(performance: &ClassPerformance) -> Result<&ClassAreas, Reason> {
    performance.areas.as_deref().ok_or(Reason::InvalidInput)
}

/// An area that has an error, and a finite logit.
fn uncertain(area: f64, se: f64) -> Result<(f64, f64), Reason> {
    if area <= 0.0 || area >= 1.0 {
        Err(Reason::PerfectDiscrimination)
    } else if se <= 0.0 {
        Err(Reason::ZeroVariance)
    } else {
        Ok((area, se))
    }
}

/// The calls of one site.
pub(super) fn of_site(performance: &ClassPerformance) -> SiteClasses {
    SiteClasses { confusion: performance.confusion.clone() }
}

/// The calls of every site that released them, added up; `None` for a binary task.
pub(super) fn section(plan: &StudyProtocol, answers: &[Answer<'_>]) -> Option<ClassSection> {
    let names: Vec<Name> = plan.task.classes().iter().map(|class| class.name.clone()).collect();
    let is_ordered = match plan.task {
        Task::Binary
        | Task::MultiLabel(_)
        | Task::Regression(_)
        | Task::Detection(_)
        | Task::Segmentation(_) => return None,
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
