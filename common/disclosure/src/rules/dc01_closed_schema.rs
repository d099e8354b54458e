//! DC-01: only what the protocol names, and only numbers on their declared grids.
//!
//! Types already rule out strings, floats and unknown metrics. This rule holds the names and the
//! ranges against the protocol, so that no result can carry more than the study asked for.
//!
//! Source: NVIDIA FLARE and MedPerf let results of any shape leave; the statbarns of ACRO
//! (AI-SDC/ACRO) start from an enumerated list of output kinds.

use fedval_stats::aggregate::CalibrationFit;
use fedval_study::condition_groups;
use fedval_study::measures::MeasureRange;
use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::{Structure, StudyProtocol, Task};
use fedval_study::result::SubgroupCell;
use fedval_study::{
    ClassPerformance, CoarsePerformance, ConditionPerformance, DetectionPerformance,
    MeasurePerformance, Name, NoisyPerformance, PatientCounts, Performance, Release,
};

use super::dc10_means::measure_grid_micro;
use super::dc11_variance::widest_of_shares;
use super::{dc02_cohort_minimum, dc07_margins, dc15_inference};

/// Largest fitted coefficient or standard error, in 10⁻⁶: beyond it the fit means nothing.
pub(crate) const MAX_COEFFICIENT_MICRO: u64 = 1_000_000_000;

/// The release does not fit the protocol's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaBreach {
    /// Operating points are not the protocol's, in its order.
    #[error("operating points are not the protocol's")]
    OperatingPoints,
    /// A subgroup is not in the protocol's dictionary.
    #[error("a subgroup is not in the protocol's dictionary")]
    Subgroups,
    /// A reason for failed cases stands twice or out of order.
    #[error("the reasons for failed cases are not distinct and in order")]
    Attrition,
    /// A number is off its grid or out of range.
    #[error("a number is out of its declared range")]
    OutOfRange,
    /// The aggregates are those of another task.
    #[error("the aggregates are not of the protocol's task")]
    Task,
    /// The aggregates contradict each other.
    #[error("the aggregates contradict each other")]
    Inconsistent,
}

/// Holds a release against the protocol.
///
/// # Errors
///
/// The first [`SchemaBreach`]; the whole result is then refused locally.
pub fn check(release: &Release, protocol: &StudyProtocol) -> Result<(), SchemaBreach> {
    check_shape(release, protocol)?;
    groups(release).try_for_each(|performance| {
        check_performance(performance, protocol)?;
        performance.check().map_err(|_| SchemaBreach::Inconsistent)
    })
}

/// The same for a release whose aggregates were found consistent already, each by [`Performance::check`].
///
/// # Errors
///
/// The first [`SchemaBreach`].
pub fn check_consistent(release: &Release, protocol: &StudyProtocol) -> Result<(), SchemaBreach> {
    check_shape(release, protocol)?;
    groups(release).try_for_each(|performance| check_performance(performance, protocol))
}

/// The same for a release of which response counts stay or numbers stand on grids.
///
/// # Errors
///
/// The first [`SchemaBreach`].
pub fn check_coarse(
    release: &Release<CoarsePerformance>,
    protocol: &StudyProtocol,
) -> Result<(), SchemaBreach> {
    check_shape(release, protocol)?;
    groups(release).try_for_each(|performance| {
        check_points(performance.operating_points.iter().map(|point| &point.name), protocol)?;
        performance.check(release.terms.rounding_base).map_err(|_| SchemaBreach::Inconsistent)
    })
}

/// The same for a release with noise.
///
/// # Errors
///
/// The first [`SchemaBreach`].
pub fn check_noisy(
    release: &Release<NoisyPerformance>,
    protocol: &StudyProtocol,
) -> Result<(), SchemaBreach> {
    check_shape(release, protocol)?;
    if release.terms.noise_rho_micro.is_none_or(|rho| rho == 0) {
        return Err(SchemaBreach::OutOfRange);
    }
    groups(release)
        .try_for_each(|group| group.check(protocol).map_err(|_| SchemaBreach::Inconsistent))
}

/// The same for a release of several classes.
///
/// # Errors
///
/// The first [`SchemaBreach`].
pub fn check_classes(
    release: &Release<ClassPerformance>,
    protocol: &StudyProtocol,
) -> Result<(), SchemaBreach> {
    check_rows(release, protocol)?;
    let p = &release.overall;
    let has_areas = match protocol.task {
        Task::Binary
        | Task::MultiLabel(_)
        | Task::Regression(_)
        | Task::Detection(_)
        | Task::Segmentation(_) => return Err(SchemaBreach::Task),
        Task::MultiClass(_) => true,
        Task::Ordinal(_) => false,
    };
    if p.classes() != protocol.task.classes().len() || p.areas.is_some() != has_areas {
        return Err(SchemaBreach::Task);
    }
    // There is no other form of it.
    if !dc15_inference::variance_components_may_leave(&release.terms) {
        return Err(SchemaBreach::OutOfRange);
    }
    p.check().map_err(|_| SchemaBreach::Inconsistent)
}

/// The same for a release of several conditions.
///
/// # Errors
///
/// The first [`SchemaBreach`].
pub fn check_conditions(
    release: &Release<ConditionPerformance>,
    protocol: &StudyProtocol,
) -> Result<(), SchemaBreach> {
    check_rows(release, protocol)?;
    // There is no other form of it.
    if !dc15_inference::variance_components_may_leave(&release.terms) {
        return Err(SchemaBreach::OutOfRange);
    }
    groups(release).try_for_each(|group| check_condition_names(group, protocol))?;
    let consistent = release.overall.check();
    consistent
        .and_then(|()| condition_groups::check(&release.overall, &release.subgroups))
        .map_err(|_| SchemaBreach::Inconsistent)
}

/// The protocol's conditions, each with its own operating points, and numbers in their ranges.
fn check_condition_names(
    p: &ConditionPerformance,
    protocol: &StudyProtocol,
) -> Result<(), SchemaBreach> {
    let conditions = protocol.task.conditions();
    let names = p.conditions.iter().map(|cell| &cell.name);
    if conditions.is_empty() || !conditions.iter().map(|of| &of.name).eq(names) {
        return Err(SchemaBreach::Task);
    }
    for (condition, cell) in conditions.iter().zip(&p.conditions) {
        let Some(performance) = cell.performance.released() else { continue };
        let points = protocol.operating_points.iter().map(|point| &point.name);
        let own = points.filter(|name| condition.operating_points.contains(name));
        check_names(own, performance.operating_points.iter().map(|point| &point.name))?;
        check_ranges(performance)?;
    }
    Ok(())
}

/// The same for a release of measures.
///
/// # Errors
///
/// The first [`SchemaBreach`].
pub fn check_measures(
    release: &Release<MeasurePerformance>,
    protocol: &StudyProtocol,
) -> Result<(), SchemaBreach> {
    if !protocol.task.is_of_measures() {
        return Err(SchemaBreach::Task);
    }
    check_rows(release, protocol)?;
    let (ranges, base) = (protocol.task.measures(), release.terms.rounding_base);
    // There is no form of it with noise.
    if release.terms.noise_rho_micro.is_some() {
        return Err(SchemaBreach::OutOfRange);
    }
    check_empty_masks(release, protocol)?;
    groups(release).try_for_each(|group| {
        group.check(base).map_err(|_| SchemaBreach::Inconsistent)?;
        if group.is_of_misses() {
            check_misses(group, release.terms.k, protocol)
        } else {
            check_measured(group, &ranges, base)
        }
    })
}

/// Empty masks are counted of the whole cohort of a study of masks, exactly, and never of fewer than k patients without
/// the structure.
fn check_empty_masks(
    release: &Release<MeasurePerformance>,
    protocol: &StudyProtocol,
) -> Result<(), SchemaBreach> {
    let cells = release.subgroups.iter().filter_map(|cell| cell.performance.released());
    if cells.into_iter().any(|group| group.empty_masks.is_some()) {
        return Err(SchemaBreach::OutOfRange);
    }
    let Some(empty) = release.overall.empty_masks else { return Ok(()) };
    if protocol.task.structure().is_none() {
        return Err(SchemaBreach::Task);
    }
    let is_enough = empty.without_structure.is_none_or(|of| of.patients() >= release.terms.k);
    if is_enough && dc15_inference::variance_components_may_leave(&release.terms) {
        Ok(())
    } else {
        Err(SchemaBreach::OutOfRange)
    }
}

/// The mean that misses count in stands alone only where those who were measured are too few for the others, and all who
/// have the structure are not; its spread follows from it.
fn check_misses(
    group: &MeasurePerformance,
    k: u64,
    protocol: &StudyProtocol,
) -> Result<(), SchemaBreach> {
    if protocol.task.structure().is_none() {
        return Err(SchemaBreach::Task);
    }
    let (Some(all), [of]) = (group.having_structure(), &group.measures[..]) else {
        return Err(SchemaBreach::Inconsistent);
    };
    let range = Structure::with_misses();
    let is_enough = |patients: u64| {
        let both =
            PatientCounts { total: patients, with_negative: patients, with_positive: patients };
        dc02_cohort_minimum::is_sufficient(both, k)
    };
    let grid = measure_grid_micro(&range, all);
    // Whoever was outlined has a Dice of 1 at most.
    let (mean, found) = (of.mean.value_micro, u128::from(group.patients));
    let most = (found * 1_000_000).div_ceil(u128::from(all.max(1)));
    let largest = u64::try_from(most).unwrap_or(u64::MAX);
    let is_possible = mean >= 0 && mean.unsigned_abs() <= largest.saturating_add(grid / 2);
    let holds = is_enough(all)
        && !is_enough(group.patients)
        && of.mean.grid_micro == grid
        && is_possible
        && of.sd == widest_of_shares(of.mean, all, range.finest_micro);
    if holds { Ok(()) } else { Err(SchemaBreach::OutOfRange) }
}

/// Every measure of the task, in its order, between its bounds, on the one grid that its patients allow.
fn check_measured(
    group: &MeasurePerformance,
    ranges: &[MeasureRange],
    base: u64,
) -> Result<(), SchemaBreach> {
    if !group.measures.iter().map(|of| &of.measure).eq(ranges.iter().map(|range| &range.measure)) {
        return Err(SchemaBreach::Task);
    }
    let least = dc07_margins::least(group.patients, base);
    let holds = group.measures.iter().zip(ranges).all(|(of, range)| {
        let (mean, sd) = (of.mean, of.sd);
        let grid = i64::try_from(mean.grid_micro).unwrap_or(i64::MAX);
        let [lower, upper] =
            [range.lower_micro.saturating_sub(grid), range.upper_micro.saturating_add(grid)];
        // No spread is wider than all of its room, or is told more finely than the protocol says.
        let spread = sd.value_micro.unsigned_abs();
        let widest = range.span_micro().max(range.finest_micro).saturating_add(sd.grid_micro);
        mean.grid_micro == measure_grid_micro(range, least)
            && (lower..=upper).contains(&mean.value_micro)
            && spread <= widest
            && spread.saturating_add(sd.grid_micro) >= range.finest_micro
    });
    if holds { Ok(()) } else { Err(SchemaBreach::OutOfRange) }
}

/// The same for a release of findings with a place.
///
/// # Errors
///
/// The first [`SchemaBreach`].
pub fn check_detection(
    release: &Release<DetectionPerformance>,
    protocol: &StudyProtocol,
) -> Result<(), SchemaBreach> {
    check_rows(release, protocol)?;
    let plan = protocol.task.detection().ok_or(SchemaBreach::Task)?;
    // There is no other form of it.
    if !dc15_inference::variance_components_may_leave(&release.terms) {
        return Err(SchemaBreach::OutOfRange);
    }
    groups(release).try_for_each(|group| {
        if group.point.name != plan.point.name {
            return Err(SchemaBreach::OperatingPoints);
        }
        group.check(plan).map_err(|_| SchemaBreach::Inconsistent)
    })?;
    // Groups have no curve, and nothing that follows from one.
    let mut cells = release.subgroups.iter().filter_map(|cell| cell.performance.released());
    if cells.all(|cell| cell.curve.is_empty() && cell.average_precision.is_none()) {
        Ok(())
    } else {
        Err(SchemaBreach::Subgroups)
    }
}

/// Whole and shown cells.
fn groups<P>(release: &Release<P>) -> impl Iterator<Item = &P> {
    let cells = release.subgroups.iter().filter_map(|cell| cell.performance.released());
    std::iter::once(&release.overall).chain(cells)
}

/// A release about one condition: attrition in order, and the protocol's cells, each once.
fn check_shape<P>(release: &Release<P>, protocol: &StudyProtocol) -> Result<(), SchemaBreach> {
    if !protocol.task.is_binary() {
        return Err(SchemaBreach::Task);
    }
    check_rows(release, protocol)
}

fn check_rows<P>(release: &Release<P>, protocol: &StudyProtocol) -> Result<(), SchemaBreach> {
    if release.terms.rounding_base == 0 {
        return Err(SchemaBreach::OutOfRange);
    }
    if !release.attrition.is_sorted_by(|a, b| a.reason < b.reason) {
        return Err(SchemaBreach::Attrition);
    }
    let tables = protocol.tables();
    let expected = tables
        .iter()
        .flat_map(|table| table.categories.iter().map(move |category| (&table.name, category)));
    let found =
        release.subgroups.iter().map(|cell: &SubgroupCell<P>| (&cell.dimension, &cell.category));
    if expected.eq(found) { Ok(()) } else { Err(SchemaBreach::Subgroups) }
}

fn check_points<'a>(
    names: impl Iterator<Item = &'a Name>,
    protocol: &StudyProtocol,
) -> Result<(), SchemaBreach> {
    check_names(protocol.operating_points.iter().map(|point| &point.name), names)
}

fn check_names<'e, 'f>(
    expected: impl Iterator<Item = &'e Name>,
    found: impl Iterator<Item = &'f Name>,
) -> Result<(), SchemaBreach> {
    if expected.eq(found) { Ok(()) } else { Err(SchemaBreach::OperatingPoints) }
}

/// Names and ranges of one group.
fn check_performance(p: &Performance, protocol: &StudyProtocol) -> Result<(), SchemaBreach> {
    check_points(p.operating_points.iter().map(|point| &point.name), protocol)?;
    check_ranges(p)
}

/// Ranges of one group.
fn check_ranges(p: &Performance) -> Result<(), SchemaBreach> {
    if p.ece_micro > 1_000_000 {
        return Err(SchemaBreach::OutOfRange);
    }
    match &p.calibration {
        CalibrationOutcome::Fit(fit) if !is_in_range(fit) => Err(SchemaBreach::OutOfRange),
        _ => Ok(()),
    }
}

/// Whether a fit means anything: each of its coefficients and errors is small enough to leave.
#[must_use]
pub fn is_in_range(fit: &CalibrationFit) -> bool {
    [
        fit.intercept_micro.unsigned_abs(),
        fit.slope_micro.unsigned_abs(),
        fit.citl_micro.unsigned_abs(),
        fit.se_intercept_micro,
        fit.se_slope_micro,
        fit.se_citl_micro,
    ]
    .into_iter()
    .all(|size| size <= MAX_COEFFICIENT_MICRO)
}
