//! A release of which response counts stay, or whose numbers stand on grids.

use fedval_proto as proto;
use fedval_study::coarse::{CoarsePoint, GridCalibration, GridScores, OnGrid};
use fedval_study::result::SubgroupCell;
use fedval_study::{Cell, CoarsePerformance, PatientCounts, Release};

use crate::WireError;
use crate::primitive::id;
use crate::release::{attrition_from_wire, attrition_to_wire};
use crate::terms::{mark, mark_from_wire, terms_from_wire, terms_to_wire};

pub(crate) fn coarse_to_wire(release: &Release<CoarsePerformance>) -> proto::CoarseRelease {
    proto::CoarseRelease {
        terms: Some(terms_to_wire(&release.terms)),
        attrition: release.attrition.iter().map(attrition_to_wire).collect(),
        overall: Some(group_to_wire(&release.overall)),
        subgroups: release.subgroups.iter().map(cell_to_wire).collect(),
    }
}

pub(crate) fn coarse_from_wire(
    release: proto::CoarseRelease,
) -> Result<Release<CoarsePerformance>, WireError> {
    let attrition = release.attrition.into_iter().map(attrition_from_wire);
    let subgroups = release.subgroups.into_iter().map(cell_from_wire);
    Ok(Release {
        terms: terms_from_wire(release.terms)?,
        attrition: attrition.collect::<Result<_, _>>()?,
        overall: group_from_wire(&release.overall.ok_or(WireError::missing("overall"))?)?,
        subgroups: subgroups.collect::<Result<_, _>>()?,
    })
}

fn cell_to_wire(cell: &SubgroupCell<CoarsePerformance>) -> proto::CoarseCell {
    use proto::coarse_cell::Cell as WireCell;
    proto::CoarseCell {
        dimension: cell.dimension.to_string(),
        category: cell.category.to_string(),
        cell: Some(match &cell.performance {
            Cell::Released(group) => WireCell::Performance(group_to_wire(group)),
            Cell::Suppressed => WireCell::Suppressed(mark()),
        }),
    }
}

fn cell_from_wire(cell: proto::CoarseCell) -> Result<SubgroupCell<CoarsePerformance>, WireError> {
    use proto::coarse_cell::Cell as WireCell;
    Ok(SubgroupCell {
        dimension: id("subgroups.dimension", &cell.dimension)?,
        category: id("subgroups.category", &cell.category)?,
        performance: match cell.cell.ok_or(WireError::missing("subgroups.cell"))? {
            WireCell::Performance(group) => Cell::Released(group_from_wire(&group)?),
            WireCell::Suppressed(why) => mark_from_wire(why)?,
        },
    })
}

fn group_to_wire(group: &CoarsePerformance) -> proto::CoarsePerformance {
    proto::CoarsePerformance {
        patients: Some(proto::PatientCounts {
            total: group.patients.total,
            with_positive: group.patients.with_positive,
            with_negative: group.patients.with_negative,
        }),
        n_pos: group.n_pos,
        n_neg: group.n_neg,
        operating_points: group.operating_points.iter().map(point_to_wire).collect(),
        grid: Some(grid_to_wire(&group.scores)),
    }
}

fn group_from_wire(group: &proto::CoarsePerformance) -> Result<CoarsePerformance, WireError> {
    let patients = group.patients.ok_or(WireError::missing("patients"))?;
    Ok(CoarsePerformance {
        patients: PatientCounts {
            total: patients.total,
            with_positive: patients.with_positive,
            with_negative: patients.with_negative,
        },
        n_pos: group.n_pos,
        n_neg: group.n_neg,
        operating_points: group
            .operating_points
            .iter()
            .map(point_from_wire)
            .collect::<Result<_, _>>()?,
        scores: grid_from_wire(group.grid.as_ref().ok_or(WireError::missing("grid"))?)?,
    })
}

fn point_to_wire(point: &CoarsePoint) -> proto::CoarsePoint {
    use proto::coarse_point::{Negatives, Positives};
    proto::CoarsePoint {
        name: point.name.to_string(),
        positives: Some(match point.false_negatives {
            Cell::Released(count) => Positives::FalseNegatives(count),
            Cell::Suppressed => Positives::PositivesSuppressed(mark()),
        }),
        negatives: Some(match point.false_positives {
            Cell::Released(count) => Negatives::FalsePositives(count),
            Cell::Suppressed => Negatives::NegativesSuppressed(mark()),
        }),
    }
}

fn point_from_wire(point: &proto::CoarsePoint) -> Result<CoarsePoint, WireError> {
    use proto::coarse_point::{Negatives, Positives};
    let missing = |field| WireError::missing(field);
    Ok(CoarsePoint {
        name: id("operating_points.name", &point.name)?,
        false_negatives: match point.positives.ok_or(missing("operating_points.positives"))? {
            Positives::FalseNegatives(count) => Cell::Released(count),
            Positives::PositivesSuppressed(why) => mark_from_wire(why)?,
        },
        false_positives: match point.negatives.ok_or(missing("operating_points.negatives"))? {
            Negatives::FalsePositives(count) => Cell::Released(count),
            Negatives::NegativesSuppressed(why) => mark_from_wire(why)?,
        },
    })
}

pub(crate) const fn number_to_wire(number: OnGrid) -> proto::OnGrid {
    proto::OnGrid { value_micro: number.value_micro, grid_micro: number.grid_micro }
}

pub(crate) fn number_from_wire(
    field: &'static str,
    n: Option<proto::OnGrid>,
) -> Result<OnGrid, WireError> {
    let number = n.ok_or(WireError::missing(field))?;
    Ok(OnGrid { value_micro: number.value_micro, grid_micro: number.grid_micro })
}

fn grid_to_wire(grid: &GridScores) -> proto::GridScores {
    proto::GridScores {
        auroc: grid.auroc.map(number_to_wire),
        brier: Some(number_to_wire(grid.brier)),
        mean_probability: Some(number_to_wire(grid.mean_probability)),
        ece: Some(number_to_wire(grid.ece)),
        calibration: grid.calibration.map(|line| proto::GridCalibration {
            intercept: Some(number_to_wire(line.intercept)),
            se_intercept: Some(number_to_wire(line.se_intercept)),
            slope: Some(number_to_wire(line.slope)),
            se_slope: Some(number_to_wire(line.se_slope)),
            citl: Some(number_to_wire(line.citl)),
            se_citl: Some(number_to_wire(line.se_citl)),
        }),
    }
}

fn grid_from_wire(grid: &proto::GridScores) -> Result<GridScores, WireError> {
    let line = |line: &proto::GridCalibration| {
        Ok(GridCalibration {
            intercept: number_from_wire("calibration.intercept", line.intercept)?,
            se_intercept: number_from_wire("calibration.se_intercept", line.se_intercept)?,
            slope: number_from_wire("calibration.slope", line.slope)?,
            se_slope: number_from_wire("calibration.se_slope", line.se_slope)?,
            citl: number_from_wire("calibration.citl", line.citl)?,
            se_citl: number_from_wire("calibration.se_citl", line.se_citl)?,
        })
    };
    Ok(GridScores {
        auroc: grid.auroc.map(|n| number_from_wire("auroc", Some(n))).transpose()?,
        brier: number_from_wire("brier", grid.brier)?,
        mean_probability: number_from_wire("mean_probability", grid.mean_probability)?,
        ece: number_from_wire("ece", grid.ece)?,
        calibration: grid.calibration.as_ref().map(line).transpose()?,
    })
}
