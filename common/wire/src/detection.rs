//! The vetted aggregates of a task of findings with a place.

use fedval_proto as proto;
use fedval_study::detection::{AveragePrecision, CurvePoint, PointCounts};
use fedval_study::result::SubgroupCell;
use fedval_study::{Cell, DetectionPerformance, PatientCounts, Release, Terms};

use crate::WireError;
use crate::primitive::{enumeration, id};
use crate::release::{attrition_from_wire, attrition_to_wire};
use crate::terms::{mark, mark_from_wire, profile_from_wire, profile_to_wire};

pub(crate) fn detection_to_wire(
    release: &Release<DetectionPerformance>,
) -> proto::DetectionRelease {
    proto::DetectionRelease {
        profile: profile_to_wire(release.terms.profile).into(),
        k: release.terms.k,
        attrition: release.attrition.iter().map(attrition_to_wire).collect(),
        overall: Some(performance_to_wire(&release.overall)),
        subgroups: release.subgroups.iter().map(cell_to_wire).collect(),
    }
}

pub(crate) fn detection_from_wire(
    release: proto::DetectionRelease,
) -> Result<Release<DetectionPerformance>, WireError> {
    let overall = release.overall.ok_or(WireError::missing("overall"))?;
    let attrition = release.attrition.into_iter().map(attrition_from_wire);
    let subgroups = release.subgroups.into_iter().map(cell_from_wire);
    Ok(Release {
        // There is no other form of them.
        terms: Terms::exact(enumeration("profile", release.profile, profile_from_wire)?, release.k),
        attrition: attrition.collect::<Result<_, _>>()?,
        overall: performance_from_wire(overall)?,
        subgroups: subgroups.collect::<Result<_, _>>()?,
    })
}

fn cell_to_wire(cell: &SubgroupCell<DetectionPerformance>) -> proto::DetectionCell {
    use proto::detection_cell::Cell as WireCell;
    proto::DetectionCell {
        dimension: cell.dimension.to_string(),
        category: cell.category.to_string(),
        cell: Some(match &cell.performance {
            Cell::Released(performance) => WireCell::Performance(performance_to_wire(performance)),
            Cell::Suppressed => WireCell::Suppressed(mark()),
        }),
    }
}

fn cell_from_wire(
    cell: proto::DetectionCell,
) -> Result<SubgroupCell<DetectionPerformance>, WireError> {
    use proto::detection_cell::Cell as WireCell;
    Ok(SubgroupCell {
        dimension: id("subgroups.dimension", &cell.dimension)?,
        category: id("subgroups.category", &cell.category)?,
        performance: match cell.cell.ok_or(WireError::missing("subgroups.cell"))? {
            WireCell::Performance(performance) => {
                Cell::Released(performance_from_wire(performance)?)
            }
            WireCell::Suppressed(why) => mark_from_wire(why)?,
        },
    })
}

fn performance_to_wire(found: &DetectionPerformance) -> proto::DetectionPerformance {
    let point = &found.point;
    let edge = |at: &CurvePoint| proto::DetectionEdge {
        edge: at.edge,
        hits: at.hits,
        false_positives: at.false_positives,
    };
    proto::DetectionPerformance {
        patients: Some(proto::PatientCounts {
            total: found.patients.total,
            with_positive: found.patients.with_positive,
            with_negative: found.patients.with_negative,
        }),
        scans_with: found.scans_with,
        scans_without: found.scans_without,
        lesions: found.lesions,
        point: Some(proto::DetectionPoint {
            name: point.name.to_string(),
            hits: point.hits,
            false_positives: Some(count_to_wire(point.false_positives)),
            sensitivity_se_micro: Some(count_to_wire(point.sensitivity_se_micro)),
            rate_se_micro: Some(count_to_wire(point.rate_se_micro)),
        }),
        curve: found.curve.iter().map(edge).collect(),
        average_precision: found
            .average_precision
            .map(|of| proto::DetectionAveragePrecision { se_micro: of.se_micro }),
    }
}

fn performance_from_wire(
    found: proto::DetectionPerformance,
) -> Result<DetectionPerformance, WireError> {
    let point = found.point.ok_or(WireError::missing("point"))?;
    let patients = found.patients.ok_or(WireError::missing("patients"))?;
    let edge = |at: proto::DetectionEdge| CurvePoint {
        edge: at.edge,
        false_positives: at.false_positives,
        hits: at.hits,
    };
    Ok(DetectionPerformance {
        average_precision: found
            .average_precision
            .map(|of| AveragePrecision { se_micro: of.se_micro }),
        curve: found.curve.into_iter().map(edge).collect(),
        lesions: found.lesions,
        patients: PatientCounts {
            total: patients.total,
            with_negative: patients.with_negative,
            with_positive: patients.with_positive,
        },
        point: PointCounts {
            false_positives: count_from_wire("point.false_positives", point.false_positives)?,
            hits: point.hits,
            name: id("point.name", &point.name)?,
            rate_se_micro: count_from_wire("point.rate_se_micro", point.rate_se_micro)?,
            sensitivity_se_micro: count_from_wire(
                "point.sensitivity_se_micro",
                point.sensitivity_se_micro,
            )?,
        },
        scans_with: found.scans_with,
        scans_without: found.scans_without,
    })
}

fn count_to_wire(count: Cell<u64>) -> proto::DetectionCount {
    use proto::detection_count::Cell as WireCell;
    proto::DetectionCount {
        cell: Some(match count {
            Cell::Released(count) => WireCell::Count(count),
            Cell::Suppressed => WireCell::Suppressed(mark()),
        }),
    }
}

fn count_from_wire(
    field: &'static str,
    count: Option<proto::DetectionCount>,
) -> Result<Cell<u64>, WireError> {
    use proto::detection_count::Cell as WireCell;
    let cell = count.and_then(|count| count.cell);
    match cell.ok_or(WireError::missing(field))? {
        WireCell::Count(count) => Ok(Cell::Released(count)),
        WireCell::Suppressed(why) => mark_from_wire(why),
    }
}
