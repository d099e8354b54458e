//! What one group of patients contributes: aggregates in the form that estimators take.

use fedval_stats::aggregate::{ClusterSums, TwoByTwo};
use fedval_stats::{NotEstimable, auroc, calibration, proportion, scale};
use fedval_study::performance::CalibrationOutcome;
use fedval_study::{MetricId, Name, Performance, SiteId};

use crate::report::Reason;

/// A micro-unit, in which fixed-point sums travel.
const MICRO: f64 = 1e-6;
/// A pico-unit, in which squared errors travel.
pub(super) const PICO: f64 = 1e-12;

/// A group of patients of one site.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    /// The site.
    pub(crate) site: &'a SiteId,
    /// Its aggregates.
    pub(crate) performance: &'a Performance,
}

/// Successes among cases, with their sums by patient where patients repeat.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proportion<'a> {
    pub(super) successes: u64,
    pub(super) cases: u64,
    pub(super) clusters: Option<&'a ClusterSums>,
}

impl<'a> Proportion<'a> {
    /// The proportion that `metric` names; `None` for any other kind of metric.
    pub(super) fn of(metric: &MetricId, performance: &'a Performance) -> Option<Self> {
        let find = |name: &Name| performance.operating_points.iter().find(|p| p.name == *name);
        match metric {
            MetricId::Sensitivity(name) => find(name).map(|point| Self {
                successes: point.counts.tp,
                cases: point.counts.n_pos(),
                clusters: point.sensitivity_clusters.as_ref(),
            }),
            MetricId::Specificity(name) => find(name).map(|point| Self {
                successes: point.counts.tn,
                cases: point.counts.n_neg(),
                clusters: point.specificity_clusters.as_ref(),
            }),
            _ => None,
        }
    }

    /// Whether one of the two error cells is empty: the proportion is 0 or 1.
    pub(super) const fn has_empty_cell(&self) -> bool {
        self.cases > 0 && (self.successes == 0 || self.successes == self.cases)
    }

    /// The standard error: between patients where they repeat, binomial otherwise.
    pub(super) fn se(&self) -> Result<f64, NotEstimable> {
        match self.clusters {
            Some(clusters) => proportion::clustered(clusters).map(|fit| fit.se),
            None => proportion::clustered(&one_case_each(self.successes, self.cases))
                .map(|fit| fit.naive_se),
        }
    }
}

/// The sums of independent cases: every case is its own patient.
fn one_case_each(successes: u64, cases: u64) -> ClusterSums {
    let total = u128::from(successes);
    ClusterSums {
        clusters: cases,
        size: cases,
        total,
        total_squares: total,
        total_by_size: total,
        size_squares: cases,
    }
}

/// The estimate of `metric` on its analysis scale with its standard error there.
///
/// # Errors
///
/// The reason why this group cannot enter a synthesis.
pub(super) fn on_scale(metric: &MetricId, performance: &Performance) -> Result<(f64, f64), Reason> {
    let (estimate, se) = match metric {
        MetricId::Auroc => auroc::logit_scale(&area(performance)?)?,
        MetricId::AurocDelong => auroc::logit_scale(&auroc::delong(&performance.ranks)?)?,
        MetricId::Sensitivity(_) | MetricId::Specificity(_) => {
            let proportion =
                Proportion::of(metric, performance).ok_or(NotEstimable::InvalidInput)?;
            logit_proportion(&proportion)?
        }
        MetricId::Brier => proportion::ratio_mean(&performance.brier_clusters, PICO)?,
        MetricId::OeRatio => log_oe(performance)?,
        MetricId::CalibrationIntercept => coefficient(performance, Coefficient::Intercept)?,
        MetricId::CalibrationSlope => coefficient(performance, Coefficient::Slope)?,
        MetricId::CalibrationInTheLarge => coefficient(performance, Coefficient::InTheLarge)?,
        MetricId::Ece => return Err(Reason::NoSamplingError),
    };
    if se > 0.0 { Ok((estimate, se)) } else { Err(Reason::ZeroVariance) }
}

/// The area with the standard error that its data ask for.
pub(super) fn area(performance: &Performance) -> Result<auroc::Auroc, NotEstimable> {
    match &performance.rank_clusters {
        Some(clusters) => auroc::clustered(&performance.ranks, clusters),
        None => auroc::delong(&performance.ranks),
    }
}

/// `(logit p, se / (p (1 − p)))`.
fn logit_proportion(proportion: &Proportion<'_>) -> Result<(f64, f64), NotEstimable> {
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

/// The share of cases with the condition called positive, and without called negative.
pub(super) fn shares(counts: &TwoByTwo) -> [Result<f64, NotEstimable>; 2] {
    [
        proportion::estimate(counts.tp, counts.n_pos()),
        proportion::estimate(counts.tn, counts.n_neg()),
    ]
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts in canonical documents are below 2^53")]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}
