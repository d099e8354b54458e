//! Tasks of findings with a place: their metrics at a site, and what all sites found together.

use std::borrow::Cow;

use fedval_stats::detection::{CPM_RATES, DetectionCounts, Froc};
use fedval_stats::{Interval, proportion};
use fedval_study::detection::LEAST_SCORES;
use fedval_study::protocol::{DetectionPlan, StudyProtocol};
use fedval_study::{Cell, DetectionPerformance, MetricId};

use super::Answer;
use super::aggregates::Aggregates;
use super::contribution::{logit_share, number};
use super::metric::{limits, logit_wald};
use super::proportion::Proportion;
use crate::report::{
    DetectionGroup, DetectionSection, Disclosed, Estimable, FrocPoint, FrocValue, Metric,
    OperatingPointLimit, Reason, Scale, SiteDetection, WithheldCode,
};

/// How an average precision and its limits come about.
const AREA: &str = "precision_recall_over_shown_scores_logit";

/// Errors travel in 10⁻⁶.
const MICRO: f64 = 1e-6;

/// Every metric of the task, in a fixed order.
pub(super) fn ids(plan: &DetectionPlan) -> Vec<MetricId> {
    let name = &plan.point.name;
    vec![
        MetricId::LesionSensitivity(name.clone()),
        MetricId::FalsePositivesPerScan(name.clone()),
        MetricId::Cpm,
        MetricId::AveragePrecision,
    ]
}

/// One metric of one group.
pub(super) fn estimate(
    plan: &StudyProtocol,
    id: &MetricId,
    found: &DetectionPerformance,
) -> Result<Metric, Reason> {
    let level = plan.analysis.level;
    match id {
        MetricId::LesionSensitivity(_) => {
            let (share, se) = (share(found)?, error(found.point.sensitivity_se_micro));
            let patients = found.patients.with_positive;
            let ci = se.and_then(|se| {
                finite(limits(&proportion::interval_of_error(share, se, patients, level)?))
            });
            Ok(Metric {
                estimate: share,
                se: se.into(),
                ci: ci.into(),
                method: Cow::Borrowed("wilson_effective_sample_size"),
            })
        }
        MetricId::FalsePositivesPerScan(_) => {
            let (rate, se) = (rate(found)?, error(found.point.rate_se_micro));
            let ci = se.and_then(|se| {
                let (log_rate, log_se) = logarithm(rate, se)?;
                let interval = Interval::wald(log_rate, log_se, level)?;
                finite(limits(&interval.map_increasing(|x| Scale::Log.back(x))))
            });
            Ok(Metric {
                estimate: rate,
                se: se.into(),
                ci: ci.into(),
                method: Cow::Borrowed("log_wald_clustered"),
            })
        }
        MetricId::Cpm => Ok(Metric {
            estimate: curve(plan.task.detection().ok_or(Reason::InvalidInput)?, found)?.cpm(),
            se: Estimable::not(Reason::NoSamplingError),
            ci: Estimable::not(Reason::NoSamplingError),
            method: Cow::Borrowed("straight_between_shown_scores"),
        }),
        MetricId::AveragePrecision => {
            let area = area(plan, found)?;
            Ok(area_error(found).map_or_else(
                |reason| Metric {
                    estimate: area,
                    se: Estimable::not(reason),
                    ci: Estimable::not(reason),
                    method: Cow::Borrowed(AREA),
                },
                |se| logit_wald((area, se), level, AREA),
            ))
        }
        _ => Err(Reason::InvalidInput),
    }
}

/// The estimate of a metric on its analysis scale with its standard error there.
pub(super) fn on_scale(
    plan: &StudyProtocol,
    id: &MetricId,
    found: &DetectionPerformance,
) -> Result<(f64, f64), Reason> {
    match id {
        MetricId::AveragePrecision => logit_share((area(plan, found)?, area_error(found)?)),
        MetricId::LesionSensitivity(_) => {
            logit_share((share(found)?, error(found.point.sensitivity_se_micro)?))
        }
        MetricId::FalsePositivesPerScan(_) => {
            logarithm(rate(found)?, error(found.point.rate_se_micro)?)
        }
        MetricId::Cpm => Err(Reason::NoSamplingError),
        _ => Err(Reason::InvalidInput),
    }
}

/// Lesions found among all, for models that take counts.
pub(super) const fn lesions(found: &DetectionPerformance) -> Proportion<'static> {
    Proportion { successes: found.point.hits, cases: found.lesions, clusters: None, rounding: 0 }
}

/// Lesions found among as many independent ones as the error between patients says (p (1 − p) / se², rounded down), for
/// models that take counts: lesions of one patient are alike. Where the error says nothing, because all or none are
/// found or it stayed at the site, each patient counts as one lesion. Never more than there are.
///
/// Source: the effective sample size of Korn and Graubard (1998), Surv. Methodol. 24, 193–201.
pub(super) fn effective(found: &DetectionPerformance) -> (u64, u64) {
    let (hits, lesions) = (found.point.hits, found.lesions.max(1));
    let p = number(hits) / number(lesions);
    let spread = p * (1.0 - p);
    let cases = match found.point.sensitivity_se_micro {
        Cell::Released(micro) if micro > 0 && spread > 0.0 => {
            let se = number(micro) * MICRO;
            whole(spread / (se * se))
        }
        _ => found.patients.with_positive,
    };
    let cases = cases.clamp(1, lesions);
    // The nearest number, without a fraction on the way.
    let (hits, lesions) = (u128::from(hits), u128::from(lesions));
    let nearest = (2 * hits * u128::from(cases) + lesions) / (2 * lesions);
    (u64::try_from(nearest).map_or(cases, |nearest| nearest.min(cases)), cases)
}

/// A size rounded down, cut to what has a form.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cut, and not negative"
)]
const fn whole(size: f64) -> u64 {
    size as u64
}

fn share(found: &DetectionPerformance) -> Result<f64, Reason> {
    Ok(proportion::estimate(found.point.hits, found.lesions)?)
}

/// False positives a scan at the cut-off.
fn rate(found: &DetectionPerformance) -> Result<f64, Reason> {
    let count = found.point.false_positives.released().ok_or(Reason::Withheld)?;
    match found.scans() {
        0 => Err(Reason::EmptyInput),
        scans => Ok(number(*count) / number(scans)),
    }
}

fn error(micro: Cell<u64>) -> Result<f64, Reason> {
    let micro = micro.released().ok_or(Reason::Withheld)?;
    Ok(number(*micro) * MICRO)
}

/// Limits that can be written down: a number too large for its form is none.
fn finite(limits: [f64; 2]) -> Result<[f64; 2], Reason> {
    if limits.iter().all(|limit| limit.is_finite()) {
        Ok(limits)
    } else {
        Err(Reason::InvalidInput)
    }
}

/// A rate and its error on the log scale, by the delta method.
fn logarithm(rate: f64, se: f64) -> Result<(f64, f64), Reason> {
    if rate > 0.0 { Ok((rate.ln(), se / rate)) } else { Err(Reason::NoEvents) }
}

/// The average precision over the scores that were shown.
fn area(plan: &StudyProtocol, found: &DetectionPerformance) -> Result<f64, Reason> {
    let counts = found.at_scores(plan.task.detection().ok_or(Reason::InvalidInput)?);
    if counts.at.len() < LEAST_SCORES {
        return Err(Reason::Withheld);
    }
    Ok(counts.average_precision()?)
}

fn area_error(found: &DetectionPerformance) -> Result<f64, Reason> {
    let of = found.average_precision.ok_or(Reason::Withheld)?;
    Ok(number(of.se_micro) * MICRO)
}

/// The curve through the scores that were shown.
fn curve(plan: &DetectionPlan, found: &DetectionPerformance) -> Result<Froc, Reason> {
    let known = found.known(plan);
    if known.len() < LEAST_SCORES {
        return Err(Reason::Withheld);
    }
    let at = known.iter().map(|at| (plan.threshold(at.edge), at.hits, at.false_positives));
    let counts = DetectionCounts { scans: found.scans(), lesions: found.lesions, at: at.collect() };
    Ok(Froc::of_counts(&counts)?)
}

/// What one site found.
pub(super) fn of_site(plan: &DetectionPlan, found: &DetectionPerformance) -> SiteDetection {
    let curve = curve(plan, found);
    let at = |rate: f64| -> Estimable<f64> {
        let curve = curve.as_ref().map_err(|reason| *reason);
        curve.and_then(|curve| Ok(curve.sensitivity_at(rate)?)).into()
    };
    let points = found.known(plan).into_iter().map(|point| FrocPoint {
        false_positives: point.false_positives,
        hits: point.hits,
        threshold: plan.threshold(point.edge),
    });
    SiteDetection {
        counts: of_group(found),
        curve: points.collect(),
        froc: CPM_RATES.map(|rate| FrocValue { rate, sensitivity: at(rate) }).into(),
        patients_with_lesions: found.patients.with_positive,
    }
}

/// The counts of one group.
pub(super) const fn of_group(found: &DetectionPerformance) -> DetectionGroup {
    DetectionGroup {
        false_positives: match found.point.false_positives {
            Cell::Released(count) => Disclosed::Released(count),
            Cell::Suppressed => Disclosed::Withheld { withheld: WithheldCode::S },
        },
        hits: found.point.hits,
        lesions: found.lesions,
        scans: found.scans(),
    }
}

/// What every site that released counts found, added up; `None` for another task.
pub(super) fn section(plan: &StudyProtocol, answers: &[Answer<'_>]) -> Option<DetectionSection> {
    let task = plan.task.detection()?;
    let mut section = DetectionSection {
        bins: task.bins,
        hits: 0,
        least_iou: task.matching.least_iou(),
        lesions: 0,
        most_candidates: task.most_candidates,
        most_lesions: task.most_lesions,
        point: OperatingPointLimit {
            name: task.point.name.clone(),
            threshold: task.threshold(task.point.edge),
        },
        sites: 0,
    };
    for answer in answers {
        let Some(Aggregates::Detection(found)) = answer.whole(plan) else { continue };
        section.sites += 1;
        section.lesions = section.lesions.saturating_add(found.lesions);
        section.hits = section.hits.saturating_add(found.point.hits);
    }
    Some(section)
}
