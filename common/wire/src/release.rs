//! The vetted aggregates of one evaluation.

use fedval_proto as proto;
use fedval_study::result::{AttritionCount, SubgroupCell};
use fedval_study::summary::FailureReason;
use fedval_study::{Cell, Release, Terms};

use crate::WireError;
use crate::performance::{performance_from_wire, performance_to_wire};
use crate::primitive::{enumeration, id};
use crate::terms::{mark, mark_from_wire, profile_from_wire, profile_to_wire};

pub(crate) fn release_to_wire(release: &Release) -> proto::Release {
    proto::Release {
        profile: profile_to_wire(release.terms.profile).into(),
        k: release.terms.k,
        attrition: release.attrition.iter().map(attrition_to_wire).collect(),
        overall: Some(performance_to_wire(&release.overall)),
        subgroups: release.subgroups.iter().map(subgroup_to_wire).collect(),
    }
}

pub(crate) fn release_from_wire(release: proto::Release) -> Result<Release, WireError> {
    Ok(Release {
        // Exact counts are released under the loosest terms alone.
        terms: Terms::exact(enumeration("profile", release.profile, profile_from_wire)?, release.k),
        attrition: release
            .attrition
            .into_iter()
            .map(attrition_from_wire)
            .collect::<Result<_, _>>()?,
        overall: performance_from_wire(
            release.overall.as_ref().ok_or(WireError::missing("overall"))?,
        )?,
        subgroups: release
            .subgroups
            .into_iter()
            .map(subgroup_from_wire)
            .collect::<Result<_, _>>()?,
    })
}

pub(crate) fn attrition_to_wire(row: &AttritionCount) -> proto::AttritionCount {
    use proto::attrition_count::Cell as WireCell;
    proto::AttritionCount {
        reason: match row.reason {
            FailureReason::Undecodable => proto::FailureReason::Undecodable,
            FailureReason::Unsupported => proto::FailureReason::Unsupported,
            FailureReason::WrongSize => proto::FailureReason::WrongSize,
            FailureReason::InvalidOutput => proto::FailureReason::InvalidOutput,
            FailureReason::NoReference => proto::FailureReason::NoReference,
            FailureReason::Other => proto::FailureReason::Other,
        }
        .into(),
        cell: Some(match row.patients {
            Cell::Released(patients) => WireCell::Patients(patients),
            Cell::Suppressed => WireCell::Suppressed(mark()),
        }),
    }
}

pub(crate) fn attrition_from_wire(row: proto::AttritionCount) -> Result<AttritionCount, WireError> {
    use proto::attrition_count::Cell as WireCell;
    let reason = enumeration("attrition.reason", row.reason, |reason| match reason {
        proto::FailureReason::Unspecified => None,
        proto::FailureReason::Undecodable => Some(FailureReason::Undecodable),
        proto::FailureReason::Unsupported => Some(FailureReason::Unsupported),
        proto::FailureReason::WrongSize => Some(FailureReason::WrongSize),
        proto::FailureReason::InvalidOutput => Some(FailureReason::InvalidOutput),
        proto::FailureReason::NoReference => Some(FailureReason::NoReference),
        proto::FailureReason::Other => Some(FailureReason::Other),
    })?;
    let patients = match row.cell.ok_or(WireError::missing("attrition.cell"))? {
        WireCell::Patients(patients) => Cell::Released(patients),
        WireCell::Suppressed(why) => mark_from_wire(why)?,
    };
    Ok(AttritionCount { reason, patients })
}

fn subgroup_to_wire(cell: &SubgroupCell) -> proto::SubgroupCell {
    use proto::subgroup_cell::Cell as WireCell;
    proto::SubgroupCell {
        dimension: cell.dimension.to_string(),
        category: cell.category.to_string(),
        cell: Some(match &cell.performance {
            Cell::Released(performance) => WireCell::Performance(performance_to_wire(performance)),
            Cell::Suppressed => WireCell::Suppressed(mark()),
        }),
    }
}

fn subgroup_from_wire(cell: proto::SubgroupCell) -> Result<SubgroupCell, WireError> {
    use proto::subgroup_cell::Cell as WireCell;
    Ok(SubgroupCell {
        dimension: id("subgroups.dimension", &cell.dimension)?,
        category: id("subgroups.category", &cell.category)?,
        performance: match cell.cell.ok_or(WireError::missing("subgroups.cell"))? {
            WireCell::Performance(performance) => {
                Cell::Released(performance_from_wire(&performance)?)
            }
            WireCell::Suppressed(why) => mark_from_wire(why)?,
        },
    })
}
