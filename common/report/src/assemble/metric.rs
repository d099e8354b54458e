//! The metrics of one group of patients, with their intervals.

use fedval_stats::{Interval, NotEstimable, auroc, proportion};
use fedval_study::protocol::StudyProtocol;
use fedval_study::{MetricId, Performance};

use super::contribution::{Coefficient, PICO, Proportion, area, coefficient, log_oe, number};
use crate::report::{Estimable, Metric, Metrics, Reason, Scale};

/// Every metric of the protocol, in a fixed order.
pub(super) fn ids(plan: &StudyProtocol) -> Vec<MetricId> {
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
pub(super) fn all(plan: &StudyProtocol, performance: &Performance) -> Metrics {
    ids(plan)
        .into_iter()
        .map(|id| {
            let metric = estimate(&id, performance, plan.analysis.level);
            (id, Estimable::from(metric))
        })
        .collect()
}

fn estimate(id: &MetricId, performance: &Performance, level: f64) -> Result<Metric, Reason> {
    Ok(match id {
        MetricId::Auroc => {
            let clusters = performance.rank_clusters.as_ref();
            let interval = auroc::interval(&performance.ranks, clusters, level)?;
            ranked(interval, area(performance))
        }
        MetricId::AurocDelong => {
            let interval = auroc::interval(&performance.ranks, None, level)?;
            ranked(interval, auroc::delong(&performance.ranks))
        }
        MetricId::Sensitivity(_) | MetricId::Specificity(_) => {
            let proportion = Proportion::of(id, performance).ok_or(NotEstimable::InvalidInput)?;
            share(&proportion, level)?
        }
        MetricId::Brier => {
            let (mean, se) = proportion::ratio_mean(&performance.brier_clusters, PICO)?;
            wald(mean, se, level, "ratio_estimator_wald")
        }
        MetricId::OeRatio => ratio(performance, level)?,
        MetricId::CalibrationIntercept => line(performance, Coefficient::Intercept, level)?,
        MetricId::CalibrationSlope => line(performance, Coefficient::Slope, level)?,
        MetricId::CalibrationInTheLarge => line(performance, Coefficient::InTheLarge, level)?,
        MetricId::Ece => Metric {
            estimate: number(performance.ece_micro) / 1e6,
            se: Estimable::not(Reason::NoSamplingError),
            ci: Estimable::not(Reason::NoSamplingError),
            method: "equal_width_bins".to_owned(),
        },
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
        method: method.to_owned(),
    }
}

fn share(share: &Proportion<'_>, level: f64) -> Result<Metric, NotEstimable> {
    let (interval, method) = match share.clusters {
        Some(clusters) => {
            (proportion::clustered_interval(clusters, level), "wilson_effective_sample_size")
        }
        None => (proportion::wilson(share.successes, share.cases, level), "wilson"),
    };
    Ok(Metric {
        estimate: proportion::estimate(share.successes, share.cases)?,
        se: share.se().into(),
        ci: interval.map(|interval| limits(&interval)).into(),
        method: method.to_owned(),
    })
}

/// O:E with its limits found on the log scale; its error by the delta method.
fn ratio(performance: &Performance, level: f64) -> Result<Metric, NotEstimable> {
    let (log_ratio, log_se) = log_oe(performance)?;
    let interval = Interval::wald(log_ratio, log_se, level)?.map_increasing(|x| Scale::Log.back(x));
    let clustered = performance.event_clusters.is_some();
    Ok(Metric {
        estimate: interval.estimate,
        se: Estimable::Estimated(interval.estimate * log_se),
        ci: Estimable::Estimated(limits(&interval)),
        method: if clustered { "log_wald_clustered" } else { "log_wald" }.to_owned(),
    })
}

fn line(performance: &Performance, which: Coefficient, level: f64) -> Result<Metric, NotEstimable> {
    let (estimate, se) = coefficient(performance, which)?;
    Ok(wald(estimate, se, level, "logistic_recalibration_wald"))
}

fn wald(estimate: f64, se: f64, level: f64, method: &str) -> Metric {
    Metric {
        estimate,
        se: Estimable::Estimated(se),
        ci: Interval::wald(estimate, se, level).map(|interval| limits(&interval)).into(),
        method: method.to_owned(),
    }
}

pub(super) const fn limits(interval: &Interval) -> [f64; 2] {
    [interval.lower, interval.upper]
}
