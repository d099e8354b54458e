//! The metrics of one group of patients, with their intervals.

use std::borrow::Cow;

use fedval_stats::scale::{expit, logit};
use fedval_stats::{Interval, NotEstimable, auroc, proportion};
use fedval_study::coarse::GridScores;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{CoarsePerformance, MetricId, Performance};

use super::aggregates::Aggregates;
use super::contribution::{
    Coefficient, Member, PICO, area, coefficient, grid_coefficient, grid_log_oe, log_oe,
    noisy_log_oe, noisy_share, number,
};
use super::noisy::Histogram;
use super::proportion::Proportion;
use super::{classes, coarse, conditions, detection, measures};
use crate::report::{Estimable, Metric, Metrics, Reason, Scale};

/// Every metric of the protocol, in a fixed order.
pub(super) fn ids(plan: &StudyProtocol) -> Vec<MetricId> {
    if plan.task.is_of_measures() {
        return measures::ids(&plan.task);
    }
    if let Some(task) = plan.task.detection() {
        return detection::ids(task);
    }
    if !plan.task.conditions().is_empty() {
        return conditions::ids(plan);
    }
    if !plan.task.is_binary() {
        return classes::ids(&plan.task);
    }
    let at_points = plan.operating_points.iter().flat_map(|point| {
        [MetricId::Sensitivity(point.name.clone()), MetricId::Specificity(point.name.clone())]
    });
    [MetricId::Auroc, MetricId::AurocDelong]
        .into_iter()
        .chain(at_points)
        .chain([
            MetricId::Brier,
            MetricId::OeRatio,
            MetricId::CalibrationIntercept,
            MetricId::CalibrationSlope,
            MetricId::CalibrationInTheLarge,
            MetricId::Ece,
        ])
        .collect()
}

/// All metrics of one group.
pub(super) fn all(plan: &StudyProtocol, member: &Member<'_>) -> Metrics {
    ids(plan)
        .into_iter()
        .map(|id| {
            let metric = estimate(plan, &id, member);
            (id, Estimable::from(metric))
        })
        .collect()
}

/// One metric of one group.
pub(super) fn estimate(
    plan: &StudyProtocol,
    id: &MetricId,
    member: &Member<'_>,
) -> Result<Metric, Reason> {
    let level = plan.analysis.level;
    match (id, member.aggregates) {
        (_, Aggregates::Noisy { group, sigma }) => {
            noisy(plan, id, &Histogram::new(plan, group, sigma), level)
        }
        (_, Aggregates::Classes(performance)) => classes::estimate(plan, id, member, performance),
        (_, Aggregates::Conditions(performance)) => {
            conditions::estimate(plan, id, member, performance)
        }
        (_, Aggregates::Measures(group)) => measures::estimate(plan, id, group),
        (_, Aggregates::Detection(performance)) => detection::estimate(plan, id, performance),
        (MetricId::Sensitivity(_) | MetricId::Specificity(_), _) => {
            Ok(share(&member.calls.get(id)?, level)?)
        }
        (_, Aggregates::Exact(performance)) => exact(id, performance, level),
        (_, Aggregates::Coarse { group, rounding }) => {
            on_grid(id, group, (rounding, &group.scores), level)
        }
    }
}

/// From a histogram with noise.
fn noisy(
    plan: &StudyProtocol,
    id: &MetricId,
    histogram: &Histogram<'_>,
    level: f64,
) -> Result<Metric, Reason> {
    match id {
        MetricId::Auroc => Ok(logit_wald(histogram.area()?, level, "noisy_histogram_logit")),
        MetricId::Sensitivity(_) | MetricId::Specificity(_) => {
            let share = noisy_share(plan, id, histogram)?;
            Ok(logit_wald(share, level, "noisy_histogram_logit"))
        }
        MetricId::Brier => Ok(without_error(histogram.brier()?, "noisy_histogram_centres")),
        MetricId::OeRatio => {
            let (log_ratio, se) = noisy_log_oe(histogram)?;
            Ok(exponential(log_ratio, se, level, "noisy_histogram_log_wald")?)
        }
        _ => Err(Reason::Withheld),
    }
}

/// From numbers on grids.
fn on_grid(
    id: &MetricId,
    group: &CoarsePerformance,
    (rounding, grid): (u64, &GridScores),
    level: f64,
) -> Result<Metric, Reason> {
    match id {
        MetricId::Auroc => {
            let area = coarse::area(grid, group.n_pos, group.n_neg)?;
            Ok(logit_wald(area, level, "hanley_mcneil_on_grid"))
        }
        MetricId::Brier => Ok(without_error(grid.brier.value(), "mean_on_grid")),
        MetricId::Ece => Ok(without_error(grid.ece.value(), "equal_width_bins_on_grid")),
        MetricId::OeRatio => {
            let (log_ratio, se) = grid_log_oe(group, rounding, grid)?;
            Ok(exponential(log_ratio, se, level, "log_wald_on_grid")?)
        }
        MetricId::CalibrationIntercept
        | MetricId::CalibrationSlope
        | MetricId::CalibrationInTheLarge => {
            let (value, se) = grid_coefficient(id, grid)?;
            Ok(wald(value, se, level, "logistic_recalibration_on_grid"))
        }
        MetricId::AurocDelong | MetricId::Sensitivity(_) | MetricId::Specificity(_) => {
            Err(Reason::Withheld)
        }
        // Other tasks have sums of their own.
        _ => Err(Reason::InvalidInput),
    }
}

/// A share whose limits are found on the logit scale.
pub(super) fn logit_wald((share, se): (f64, f64), level: f64, method: &'static str) -> Metric {
    let limits_of = || {
        if share <= 0.0 || share >= 1.0 {
            return Err(Reason::EmptyErrorCell);
        }
        let interval = Interval::wald(logit(share), se / (share * (1.0 - share)), level)?;
        Ok(limits(&interval.map_increasing(expit)))
    };
    Metric {
        estimate: share,
        se: Estimable::Estimated(se),
        ci: limits_of().into(),
        method: Cow::Borrowed(method),
    }
}

fn without_error(estimate: f64, method: &'static str) -> Metric {
    Metric {
        estimate,
        se: Estimable::not(Reason::NoSamplingError),
        ci: Estimable::not(Reason::NoSamplingError),
        method: Cow::Borrowed(method),
    }
}

fn exponential(
    log_ratio: f64,
    log_se: f64,
    level: f64,
    method: &'static str,
) -> Result<Metric, NotEstimable> {
    let interval = Interval::wald(log_ratio, log_se, level)?.map_increasing(|x| Scale::Log.back(x));
    Ok(Metric {
        estimate: interval.estimate,
        se: Estimable::Estimated(interval.estimate * log_se),
        ci: Estimable::Estimated(limits(&interval)),
        method: Cow::Borrowed(method),
    })
}

/// From exact counts of one condition.
pub(super) fn exact(
    id: &MetricId,
    performance: &Performance,
    level: f64,
) -> Result<Metric, Reason> {
    Ok(match id {
        MetricId::Auroc => {
            let clusters = performance.rank_clusters.as_deref();
            let interval = auroc::interval(&performance.ranks, clusters, level)?;
            ranked(interval, area(performance))
        }
        MetricId::AurocDelong => {
            let interval = auroc::interval(&performance.ranks, None, level)?;
            ranked(interval, auroc::delong(&performance.ranks))
        }
        MetricId::Brier => {
            let (mean, se) = proportion::ratio_mean(&performance.brier_clusters, PICO)?;
            wald(mean, se, level, "ratio_estimator_wald")
        }
        MetricId::OeRatio => ratio(performance, level)?,
        MetricId::CalibrationIntercept => line(performance, Coefficient::Intercept, level)?,
        MetricId::CalibrationSlope => line(performance, Coefficient::Slope, level)?,
        MetricId::CalibrationInTheLarge => line(performance, Coefficient::InTheLarge, level)?,
        MetricId::Ece => without_error(number(performance.ece_micro) / 1e6, "equal_width_bins"),
        // Shares come from calls, and other tasks have sums of their own.
        _ => return Err(Reason::InvalidInput),
    })
}

fn ranked(
    (interval, method): (Interval, &'static str),
    area: Result<auroc::Auroc, NotEstimable>,
) -> Metric {
    Metric {
        estimate: interval.estimate,
        se: area.map(|area| area.se).into(),
        ci: Estimable::Estimated(limits(&interval)),
        method: Cow::Borrowed(method),
    }
}

pub(super) fn share(share: &Proportion<'_>, level: f64) -> Result<Metric, NotEstimable> {
    let (interval, method) = match (share.rounded(), share.clusters) {
        (Some(rounded), _) => (rounded.interval(level), "wilson_over_rounding"),
        (None, Some(clusters)) => {
            (proportion::clustered_interval(clusters, level), "wilson_effective_sample_size")
        }
        (None, None) => (proportion::wilson(share.successes, share.cases, level), "wilson"),
    };
    Ok(Metric {
        estimate: proportion::estimate(share.successes, share.cases)?,
        se: share.se().into(),
        ci: interval.map(|interval| limits(&interval)).into(),
        method: Cow::Borrowed(method),
    })
}

/// O:E with its limits found on the log scale; its error by the delta method.
fn ratio(performance: &Performance, level: f64) -> Result<Metric, NotEstimable> {
    let (log_ratio, log_se) = log_oe(performance)?;
    let clustered = performance.event_clusters.is_some();
    exponential(log_ratio, log_se, level, if clustered { "log_wald_clustered" } else { "log_wald" })
}

fn line(performance: &Performance, which: Coefficient, level: f64) -> Result<Metric, NotEstimable> {
    let (estimate, se) = coefficient(performance, which)?;
    Ok(wald(estimate, se, level, "logistic_recalibration_wald"))
}

fn wald(estimate: f64, se: f64, level: f64, method: &'static str) -> Metric {
    Metric {
        estimate,
        se: Estimable::Estimated(se),
        ci: Interval::wald(estimate, se, level).map(|interval| limits(&interval)).into(),
        method: Cow::Borrowed(method),
    }
}

pub(super) const fn limits(interval: &Interval) -> [f64; 2] {
    [interval.lower, interval.upper]
}
