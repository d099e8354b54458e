//! Tasks that measure patients: their metrics at a site, from means on grids and spreads of two figures.
//!
//! Errors and intervals are made here, from what was released (DC-15). That a mean was rounded is part of its error: a
//! twelfth of the squared grid is added to its variance.

use std::borrow::Cow;

use fedval_stats::Interval;
use fedval_stats::agreement::{ReaderMoments, intraclass_of_two};
use fedval_stats::segmentation::MissesAsZero;
use fedval_study::measures::Measured;
use fedval_study::protocol::{StudyProtocol, Task};
use fedval_study::{Measure, MeasurePerformance, MetricId};

use super::coarse::grid_variance;
use super::contribution::number;
use super::metric::limits;
use crate::report::{Estimable, Metric, Reason, SiteMeasure};

/// Bland and Altman's factor: between both limits lie 95 of 100 differences that are normal.
const FACTOR: f64 = 1.96;

/// Every metric of a quantity or of masks, in a fixed order.
pub(super) fn ids(task: &Task) -> Vec<MetricId> {
    if task.structure().is_some() {
        return vec![MetricId::Dice, MetricId::Hd95, MetricId::Nsd, MetricId::DiceMissesZero];
    }
    vec![
        MetricId::MeanAbsoluteError,
        MetricId::MeanError,
        MetricId::LowerLimitOfAgreement,
        MetricId::UpperLimitOfAgreement,
        MetricId::IntraclassCorrelation,
    ]
}

/// What groups are compared by.
pub(super) const fn is_compared(id: &MetricId) -> bool {
    matches!(id, MetricId::MeanAbsoluteError | MetricId::MeanError) || id.is_of_masks()
}

/// One metric of one group.
pub(super) fn estimate(
    plan: &StudyProtocol,
    id: &MetricId,
    group: &MeasurePerformance,
) -> Result<Metric, Reason> {
    let level = plan.analysis.level;
    if *id == MetricId::IntraclassCorrelation {
        return agreement(group, level);
    }
    let (estimate, se) = on_scale(id, group)?;
    let df = number(counted(id, group)?) - 1.0;
    let method = match id {
        MetricId::DiceMissesZero => "mean_on_grid_misses_zero_t",
        _ if is_compared(id) => "mean_on_grid_t",
        _ => "bland_altman_t",
    };
    Ok(Metric {
        estimate,
        se: Estimable::Estimated(se),
        ci: Interval::student(estimate, se, df, level).map(|found| held(id, limits(&found))).into(),
        method: Cow::Borrowed(method),
    })
}

/// The estimate of a metric on its own scale with its standard error.
pub(super) fn on_scale(id: &MetricId, group: &MeasurePerformance) -> Result<(f64, f64), Reason> {
    if *id == MetricId::DiceMissesZero {
        return with_misses(group);
    }
    if group.is_of_misses() {
        return Err(Reason::Withheld);
    }
    let n = number(group.patients);
    if n < 2.0 {
        return Err(Reason::EmptyInput);
    }
    let error = || of(group, &Measure::Error);
    let side = match id {
        MetricId::MeanAbsoluteError => {
            let of = of(group, &Measure::AbsoluteError)?;
            return Ok((of.mean.value(), mean_variance(of, n).sqrt()));
        }
        MetricId::Dice | MetricId::Hd95 | MetricId::Nsd => {
            let of = of(group, &of_masks(id))?;
            return Ok((of.mean.value(), mean_variance(of, n).sqrt()));
        }
        MetricId::MeanError => {
            let of = error()?;
            return Ok((of.mean.value(), mean_variance(of, n).sqrt()));
        }
        MetricId::LowerLimitOfAgreement => -FACTOR,
        MetricId::UpperLimitOfAgreement => FACTOR,
        MetricId::IntraclassCorrelation => return Err(Reason::NotDefinedForMethod),
        _ => return Err(Reason::NotDefinedForTask),
    };
    let of = error()?;
    // Bland and Altman (1999), Stat. Methods Med. Res. 8, 135–160: the variance of the mean, and that of so many
    // estimated standard deviations.
    let spread = (FACTOR * of.sd.value()).powi(2) / (2.0 * (n - 1.0));
    Ok((of.mean.value() + side * of.sd.value(), (mean_variance(of, n) + spread).sqrt()))
}

const fn of_masks(id: &MetricId) -> Measure {
    match id {
        MetricId::Hd95 => Measure::Hd95,
        MetricId::Nsd => Measure::Nsd,
        _ => Measure::Dice,
    }
}

/// Mean Dice with a miss counting 0, and its error. It follows from what a site releases anyway, so that nothing more
/// leaves for it: that the mean of the others was rounded counts as far as they are of all. A site with too few others
/// tells it itself, and its error is then the largest that it can have.
fn with_misses(group: &MeasurePerformance) -> Result<(f64, f64), Reason> {
    if group.is_of_misses() {
        let all = number(counted(&MetricId::DiceMissesZero, group)?);
        let own = of(group, &Measure::DiceMissesZero)?;
        return Ok((own.mean.value(), mean_variance(own, all).sqrt()));
    }
    let dice = of(group, &Measure::Dice)?;
    let missed = group.empty_masks.ok_or(Reason::Withheld)?.missed;
    let all = MissesAsZero::new(group.patients, dice.mean.value(), dice.sd.value(), missed)?;
    let share = all.share(group.patients);
    let rounded = share * share * grid_variance(dice.mean);
    let sampling = all.sd * all.sd / number(all.patients);
    Ok((all.mean, (sampling + rounded).sqrt()))
}

/// Patients that a mean is over.
fn counted(id: &MetricId, group: &MeasurePerformance) -> Result<u64, Reason> {
    match id {
        MetricId::DiceMissesZero => group.having_structure().ok_or(Reason::Withheld),
        _ => Ok(group.patients),
    }
}

/// No mean of a share lies beyond its ends, and no distance below nothing: limits that normal theory puts there say no
/// more than the end itself.
pub(super) fn held(id: &MetricId, [lower, upper]: [f64; 2]) -> [f64; 2] {
    match id {
        MetricId::Dice | MetricId::DiceMissesZero | MetricId::Nsd => {
            [lower.clamp(0.0, 1.0), upper.clamp(0.0, 1.0)]
        }
        MetricId::Hd95 => [lower.max(0.0), upper.max(0.0)],
        _ => [lower, upper],
    }
}

fn of<'a>(group: &'a MeasurePerformance, measure: &Measure) -> Result<&'a Measured, Reason> {
    group.of(measure).ok_or(Reason::InvalidInput)
}

fn mean_variance(of: &Measured, n: f64) -> f64 {
    of.sd.value().powi(2) / n + grid_variance(of.mean)
}

/// ICC(2,1) and its limits follow from bias and both spreads: nothing further leaves a site for it.
fn agreement(group: &MeasurePerformance, level: f64) -> Result<Metric, Reason> {
    let (error, middle) = (of(group, &Measure::Error)?, of(group, &Measure::Level)?);
    let moments = ReaderMoments {
        subjects: group.patients,
        bias: error.mean.value(),
        sd_of_differences: error.sd.value(),
        sd_of_middles: middle.sd.value(),
    };
    let found = intraclass_of_two(&moments, level)?;
    let both = found.agreement_lower.and_then(|lower| Ok([lower, found.agreement_upper?]));
    Ok(Metric {
        estimate: found.agreement?,
        se: Estimable::not(Reason::NotDefinedForMethod),
        ci: both.into(),
        method: Cow::Borrowed("mcgraw_wong_f"),
    })
}

/// The measures of one site, as they were released.
pub(super) fn of_site(group: &MeasurePerformance) -> Vec<SiteMeasure> {
    let row = |of: &Measured| SiteMeasure {
        grid: number(of.mean.grid_micro) / 1e6,
        mean: of.mean.value(),
        measure: of.measure.clone(),
        sd: of.sd.value(),
    };
    group.measures.iter().map(row).collect()
}
