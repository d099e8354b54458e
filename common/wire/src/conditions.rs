//! The vetted aggregates of a task with several conditions.

use fedval_proto as proto;
use fedval_study::conditions::ConditionCell;
use fedval_study::result::SubgroupCell;
use fedval_study::{Cell, ConditionPerformance, Release, Terms};

use crate::WireError;
use crate::performance::{performance_from_wire, performance_to_wire};
use crate::primitive::{enumeration, id};
use crate::release::{attrition_from_wire, attrition_to_wire};
use crate::terms::{mark, mark_from_wire, profile_from_wire, profile_to_wire};

pub(crate) fn conditions_to_wire(
    release: &Release<ConditionPerformance>,
) -> proto::ConditionRelease {
    use proto::condition_release::MacroSe;
    let overall = &release.overall;
    proto::ConditionRelease {
        profile: profile_to_wire(release.terms.profile).into(),
        k: release.terms.k,
        attrition: release.attrition.iter().map(attrition_to_wire).collect(),
        patients: overall.patients,
        conditions: overall.conditions.iter().map(cell_to_wire).collect(),
        macro_se: Some(match overall.macro_se_nano {
            Cell::Released(nano) => MacroSe::MacroSeNano(nano),
            Cell::Suppressed => MacroSe::Suppressed(mark()),
        }),
        subgroups: release.subgroups.iter().map(subgroup_to_wire).collect(),
    }
}

pub(crate) fn conditions_from_wire(
    release: proto::ConditionRelease,
) -> Result<Release<ConditionPerformance>, WireError> {
    use proto::condition_release::MacroSe;
    let macro_se_nano = match release.macro_se.ok_or(WireError::missing("macro_se"))? {
        MacroSe::MacroSeNano(nano) => Cell::Released(nano),
        MacroSe::Suppressed(why) => mark_from_wire(why)?,
    };
    let attrition = release.attrition.into_iter().map(attrition_from_wire);
    let conditions = release.conditions.into_iter().map(cell_from_wire);
    let subgroups = release.subgroups.into_iter().map(subgroup_from_wire);
    Ok(Release {
        // There is no other form of them.
        terms: Terms::exact(enumeration("profile", release.profile, profile_from_wire)?, release.k),
        attrition: attrition.collect::<Result<_, _>>()?,
        overall: ConditionPerformance {
            conditions: conditions.collect::<Result<_, _>>()?,
            macro_se_nano,
            patients: release.patients,
        },
        subgroups: subgroups.collect::<Result<_, _>>()?,
    })
}

fn subgroup_to_wire(cell: &SubgroupCell<ConditionPerformance>) -> proto::ConditionSubgroup {
    use proto::condition_subgroup::Cell as WireCell;
    proto::ConditionSubgroup {
        dimension: cell.dimension.to_string(),
        category: cell.category.to_string(),
        cell: Some(match &cell.performance {
            Cell::Released(group) => WireCell::Group(proto::ConditionGroup {
                patients: group.patients,
                conditions: group.conditions.iter().map(cell_to_wire).collect(),
            }),
            Cell::Suppressed => WireCell::Suppressed(mark()),
        }),
    }
}

fn subgroup_from_wire(
    cell: proto::ConditionSubgroup,
) -> Result<SubgroupCell<ConditionPerformance>, WireError> {
    use proto::condition_subgroup::Cell as WireCell;
    Ok(SubgroupCell {
        dimension: id("subgroups.dimension", &cell.dimension)?,
        category: id("subgroups.category", &cell.category)?,
        performance: match cell.cell.ok_or(WireError::missing("subgroups.cell"))? {
            WireCell::Group(group) => Cell::Released(group_from_wire(group)?),
            WireCell::Suppressed(why) => mark_from_wire(why)?,
        },
    })
}

/// The error of the mean leaves of no group, and has no place there.
fn group_from_wire(group: proto::ConditionGroup) -> Result<ConditionPerformance, WireError> {
    let conditions = group.conditions.into_iter().map(cell_from_wire);
    Ok(ConditionPerformance {
        conditions: conditions.collect::<Result<_, _>>()?,
        macro_se_nano: Cell::Suppressed,
        patients: group.patients,
    })
}

fn cell_to_wire(cell: &ConditionCell) -> proto::ConditionCell {
    use proto::condition_cell::Cell as WireCell;
    proto::ConditionCell {
        name: cell.name.to_string(),
        cell: Some(match &cell.performance {
            Cell::Released(performance) => WireCell::Performance(performance_to_wire(performance)),
            Cell::Suppressed => WireCell::Suppressed(mark()),
        }),
    }
}

fn cell_from_wire(cell: proto::ConditionCell) -> Result<ConditionCell, WireError> {
    use proto::condition_cell::Cell as WireCell;
    Ok(ConditionCell {
        name: id("conditions.name", &cell.name)?,
        performance: match cell.cell.ok_or(WireError::missing("conditions.cell"))? {
            WireCell::Performance(performance) => {
                Cell::Released(performance_from_wire(&performance)?)
            }
            WireCell::Suppressed(why) => mark_from_wire(why)?,
        },
    })
}
