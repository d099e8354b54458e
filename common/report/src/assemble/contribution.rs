//! What one group of patients contributes: aggregates in the form that estimators take.

use fedval_stats::{NotEstimable, auroc, calibration, proportion, scale};
use fedval_study::coarse::GridScores;
use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{CoarsePerformance, MetricId, Performance, SiteId};

use super::aggregates::Aggregates;
use super::noisy::Histogram;
use super::proportion::{Calls, Proportion};
use super::{classes, coarse, conditions, detection, measures};
use crate::report::Reason;

/// A micro-unit, in which fixed-point sums travel.
const MICRO: f64 = 1e-6;
/// A pico-unit, in which squared errors travel.
pub(super) const PICO: f64 = 1e-12;

/// A group of patients of one site.
#[derive(Debug, Clone)]
pub(super) struct Member<'a> {
    /// The site.
    pub(super) site: &'a SiteId,
    /// Its aggregates.
    pub(super) aggregates: Aggregates<'a>,
    /// Its right calls, from the aggregates.
    pub(super) calls: Calls<'a>,
}

impl<'a> Member<'a> {
    pub(super) fn new(
        plan: &'a StudyProtocol,
        site: &'a SiteId,
        aggregates: Aggregates<'a>,
    ) -> Self {
        Self { site, aggregates, calls: Calls::of(plan, aggregates) }
    }
}

/// The estimate of `metric` on its analysis scale with its standard error there.
///
/// # Errors
///
/// The reason why this group cannot enter a synthesis.
pub(super) fn on_scale(
    plan: &StudyProtocol,
    metric: &MetricId,
    member: &Member<'_>,
) -> Result<(f64, f64), Reason> {
    let (estimate, se) = match (metric, member.aggregates) {
        (
            MetricId::Sensitivity(_) | MetricId::Specificity(_),
            Aggregates::Noisy { group, sigma },
        ) => {
            let histogram = Histogram::new(plan, group, sigma);
            logit_share(noisy_share(plan, metric, &histogram)?)?
        }
        (_, Aggregates::Classes(performance)) => {
            classes::on_scale(plan, metric, member, performance)?
        }
        (_, Aggregates::Conditions(performance)) => {
            conditions::on_scale(metric, member, performance)?
        }
        (_, Aggregates::Measures(group)) => measures::on_scale(metric, group)?,
        (_, Aggregates::Detection(performance)) => detection::on_scale(plan, metric, performance)?,
        (MetricId::Sensitivity(_) | MetricId::Specificity(_), _) => {
            logit_proportion(&member.calls.get(metric)?)?
        }
        (_, Aggregates::Noisy { group, sigma }) => {
            noisy_on_scale(metric, &Histogram::new(plan, group, sigma))?
        }
        (_, Aggregates::Exact(performance)) => exact_on_scale(metric, performance)?,
        (_, Aggregates::Coarse { group, rounding }) => {
            grid_on_scale(metric, group, rounding, &group.scores)?
        }
    };
    if se > 0.0 { Ok((estimate, se)) } else { Err(Reason::ZeroVariance) }
}

/// The same from exact counts of one condition.
pub(super) fn exact_on_scale(
    metric: &MetricId,
    performance: &Performance,
) -> Result<(f64, f64), Reason> {
    Ok(match metric {
        MetricId::Auroc => auroc::logit_scale(&area(performance)?)?,
        MetricId::AurocDelong => auroc::logit_scale(&auroc::delong(&performance.ranks)?)?,
        MetricId::Brier => proportion::ratio_mean(&performance.brier_clusters, PICO)?,
        MetricId::OeRatio => log_oe(performance)?,
        MetricId::CalibrationIntercept => coefficient(performance, Coefficient::Intercept)?,
        MetricId::CalibrationSlope => coefficient(performance, Coefficient::Slope)?,
        MetricId::CalibrationInTheLarge => coefficient(performance, Coefficient::InTheLarge)?,
        MetricId::Ece => return Err(Reason::NoSamplingError),
        // Shares come from calls, and other tasks have sums of their own.
        _ => return Err(Reason::InvalidInput),
    })
}

fn grid_on_scale(
    metric: &MetricId,
    group: &CoarsePerformance,
    rounding: u64,
    grid: &GridScores,
) -> Result<(f64, f64), Reason> {
    match metric {
        MetricId::Auroc | MetricId::AurocDelong => {
            logit_share(coarse::area(grid, group.n_pos, group.n_neg)?)
        }
        MetricId::OeRatio => Ok(grid_log_oe(group, rounding, grid)?),
        MetricId::CalibrationIntercept
        | MetricId::CalibrationSlope
        | MetricId::CalibrationInTheLarge => grid_coefficient(metric, grid),
        _ => Err(Reason::NoSamplingError),
    }
}

/// A coefficient that stands on a grid.
pub(super) fn grid_coefficient(metric: &MetricId, grid: &GridScores) -> Result<(f64, f64), Reason> {
    let line = grid.calibration.ok_or(Reason::NotConverged)?;
    Ok(match metric {
        MetricId::CalibrationIntercept => coarse::coefficient(line.intercept, line.se_intercept),
        MetricId::CalibrationSlope => coarse::coefficient(line.slope, line.se_slope),
        _ => coarse::coefficient(line.citl, line.se_citl),
    })
}

/// `(ln(O/E), se)` from a rounded rate and a mean on a grid; the error is that of sampling, of the
/// rounded events and of the grid.
pub(super) fn grid_log_oe(
    group: &CoarsePerformance,
    rounding: u64,
    grid: &GridScores,
) -> Result<(f64, f64), NotEstimable> {
    let n = group.n_pos.saturating_add(group.n_neg);
    let mean = grid.mean_probability;
    let (log_ratio, se) = calibration::log_oe(group.n_pos, mean.value() * number(n), n)?;
    let rounded = coarse::rounding_variance(rounding) / number(group.n_pos).powi(2);
    let on_grid = coarse::grid_variance(mean) / mean.value().powi(2);
    Ok((log_ratio, (se * se + rounded + on_grid).sqrt()))
}

fn noisy_on_scale(metric: &MetricId, histogram: &Histogram<'_>) -> Result<(f64, f64), Reason> {
    match metric {
        MetricId::Auroc | MetricId::AurocDelong => logit_share(histogram.area()?),
        MetricId::OeRatio => noisy_log_oe(histogram),
        MetricId::CalibrationIntercept
        | MetricId::CalibrationSlope
        | MetricId::CalibrationInTheLarge => Err(Reason::Withheld),
        _ => Err(Reason::NoSamplingError),
    }
}

/// `(ln(O/E), se)` with the binomial error of O and that of the noise.
pub(super) fn noisy_log_oe(histogram: &Histogram<'_>) -> Result<(f64, f64), Reason> {
    let (observed, expected, n) = histogram.observed_and_expected()?;
    let sampling = (1.0 - observed / n).max(0.0) / observed;
    let noise = histogram.log_oe_noise(observed, expected);
    Ok(((observed / expected).ln(), (sampling + noise).sqrt()))
}

/// Sensitivity or specificity from a histogram with noise.
pub(super) fn noisy_share(
    plan: &StudyProtocol,
    metric: &MetricId,
    histogram: &Histogram<'_>,
) -> Result<(f64, f64), Reason> {
    let (name, positive) = match metric {
        MetricId::Sensitivity(name) => (name, true),
        MetricId::Specificity(name) => (name, false),
        _ => return Err(Reason::InvalidInput),
    };
    let point = plan.operating_points.iter().find(|point| point.name == *name);
    histogram.share(point.ok_or(Reason::InvalidInput)?.threshold, positive)
}

/// A share with its error, moved to the logit scale.
pub(super) fn logit_share((share, se): (f64, f64)) -> Result<(f64, f64), Reason> {
    if share <= 0.0 || share >= 1.0 {
        return Err(Reason::EmptyErrorCell);
    }
    Ok((scale::logit(share), se / (share * (1.0 - share))))
}

/// The area with the standard error that its data ask for.
pub(super) fn area(performance: &Performance) -> Result<auroc::Auroc, NotEstimable> {
    match &performance.rank_clusters {
        Some(clusters) => auroc::clustered(&performance.ranks, clusters),
        None => auroc::delong(&performance.ranks),
    }
}

/// `(logit p, se / (p (1 − p)))`.
pub(super) fn logit_proportion(proportion: &Proportion<'_>) -> Result<(f64, f64), NotEstimable> {
    let p = proportion::estimate(proportion.successes, proportion.cases)?;
    if proportion.has_empty_cell() {
        return Err(NotEstimable::EmptyErrorCell);
    }
    Ok((scale::logit(p), proportion.se()? / (p * (1.0 - p))))
}

/// `(ln(O/E), se)`; where patients repeat, the error of O is that between patients.
pub(super) fn log_oe(performance: &Performance) -> Result<(f64, f64), NotEstimable> {
    let sums = &performance.probabilities;
    let expected = number(sums.expected_micro) * MICRO;
    let (log_ratio, se) = calibration::log_oe(sums.events, expected, sums.n)?;
    match &performance.event_clusters {
        Some(clusters) => {
            let rate = proportion::clustered(clusters)?;
            Ok((log_ratio, rate.se / rate.proportion))
        }
        None => Ok((log_ratio, se)),
    }
}

/// A number of the fitted recalibration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Coefficient {
    Intercept,
    Slope,
    InTheLarge,
}

/// A coefficient of the site's own fit with its standard error.
pub(super) fn coefficient(
    performance: &Performance,
    which: Coefficient,
) -> Result<(f64, f64), NotEstimable> {
    let fit = match &performance.calibration {
        CalibrationOutcome::Fit(fit) => fit,
        CalibrationOutcome::NotEstimable(reason) => return Err(*reason),
    };
    let [[intercept_variance, _], [_, slope_variance]] = fit.covariance();
    Ok(match which {
        Coefficient::Intercept => (fit.intercept(), intercept_variance.sqrt()),
        Coefficient::Slope => (fit.slope(), slope_variance.sqrt()),
        Coefficient::InTheLarge => (fit.citl(), fit.se_citl()),
    })
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts in canonical documents are below 2^53")]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}
