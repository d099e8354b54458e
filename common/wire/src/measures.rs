//! The vetted means and spreads of measures.

use fedval_proto as proto;
use fedval_study::empty_masks::{EmptyMasks, WithoutStructure};
use fedval_study::measures::{Measure, Measured};
use fedval_study::result::SubgroupCell;
use fedval_study::{Cell, MeasurePerformance, Release};

use crate::WireError;
use crate::coarse::{number_from_wire, number_to_wire};
use crate::primitive::{enumeration, id};
use crate::release::{attrition_from_wire, attrition_to_wire};
use crate::terms::{mark, mark_from_wire, terms_from_wire, terms_to_wire};

pub(crate) fn measures_to_wire(release: &Release<MeasurePerformance>) -> proto::MeasureRelease {
    proto::MeasureRelease {
        terms: Some(terms_to_wire(&release.terms)),
        attrition: release.attrition.iter().map(attrition_to_wire).collect(),
        overall: Some(group_to_wire(&release.overall)),
        subgroups: release.subgroups.iter().map(cell_to_wire).collect(),
    }
}

pub(crate) fn measures_from_wire(
    release: proto::MeasureRelease,
) -> Result<Release<MeasurePerformance>, WireError> {
    let attrition = release.attrition.into_iter().map(attrition_from_wire);
    let subgroups = release.subgroups.into_iter().map(cell_from_wire);
    Ok(Release {
        terms: terms_from_wire(release.terms)?,
        attrition: attrition.collect::<Result<_, _>>()?,
        overall: group_from_wire(&release.overall.ok_or(WireError::missing("overall"))?)?,
        subgroups: subgroups.collect::<Result<_, _>>()?,
    })
}

fn cell_to_wire(cell: &SubgroupCell<MeasurePerformance>) -> proto::MeasureCell {
    use proto::measure_cell::Cell as WireCell;
    proto::MeasureCell {
        dimension: cell.dimension.to_string(),
        category: cell.category.to_string(),
        cell: Some(match &cell.performance {
            Cell::Released(group) => WireCell::Performance(group_to_wire(group)),
            Cell::Suppressed => WireCell::Suppressed(mark()),
        }),
    }
}

fn cell_from_wire(cell: proto::MeasureCell) -> Result<SubgroupCell<MeasurePerformance>, WireError> {
    use proto::measure_cell::Cell as WireCell;
    Ok(SubgroupCell {
        dimension: id("subgroups.dimension", &cell.dimension)?,
        category: id("subgroups.category", &cell.category)?,
        performance: match cell.cell.ok_or(WireError::missing("subgroups.cell"))? {
            WireCell::Performance(group) => Cell::Released(group_from_wire(&group)?),
            WireCell::Suppressed(why) => mark_from_wire(why)?,
        },
    })
}

fn group_to_wire(group: &MeasurePerformance) -> proto::MeasurePerformance {
    let of = |of: &Measured| proto::Measured {
        measure: measure_to_wire(&of.measure).into(),
        mean: Some(number_to_wire(of.mean)),
        sd: Some(number_to_wire(of.sd)),
    };
    proto::MeasurePerformance {
        patients: group.patients,
        measures: group.measures.iter().map(of).collect(),
        empty_masks: group.empty_masks.as_ref().map(empty_to_wire),
    }
}

fn group_from_wire(group: &proto::MeasurePerformance) -> Result<MeasurePerformance, WireError> {
    let of = |of: &proto::Measured| {
        Ok(Measured {
            mean: number_from_wire("measures.mean", of.mean)?,
            measure: enumeration("measures.measure", of.measure, measure_from_wire)?,
            sd: number_from_wire("measures.sd", of.sd)?,
        })
    };
    let measures = group.measures.iter().map(of).collect::<Result<_, WireError>>()?;
    let empty_masks = group.empty_masks.as_ref().map(empty_from_wire);
    Ok(MeasurePerformance { empty_masks, measures, patients: group.patients })
}

fn empty_to_wire(of: &EmptyMasks) -> proto::EmptyMasks {
    proto::EmptyMasks {
        missed: of.missed,
        without_structure: of.without_structure.map(|WithoutStructure { neither, spurious }| {
            proto::WithoutStructure { neither, spurious }
        }),
    }
}

fn empty_from_wire(of: &proto::EmptyMasks) -> EmptyMasks {
    EmptyMasks {
        missed: of.missed,
        without_structure: of
            .without_structure
            .as_ref()
            .map(|of| WithoutStructure { neither: of.neither, spurious: of.spurious }),
    }
}

const fn measure_to_wire(measure: &Measure) -> proto::Measure {
    match measure {
        Measure::AbsoluteError => proto::Measure::AbsoluteError,
        Measure::Error => proto::Measure::Error,
        Measure::Level => proto::Measure::Level,
        Measure::Dice => proto::Measure::Dice,
        Measure::Hd95 => proto::Measure::Hd95,
        Measure::Nsd => proto::Measure::Nsd,
        Measure::DiceMissesZero => proto::Measure::DiceMissesZero,
    }
}

const fn measure_from_wire(measure: proto::Measure) -> Option<Measure> {
    match measure {
        proto::Measure::Unspecified => None,
        proto::Measure::AbsoluteError => Some(Measure::AbsoluteError),
        proto::Measure::Error => Some(Measure::Error),
        proto::Measure::Level => Some(Measure::Level),
        proto::Measure::Dice => Some(Measure::Dice),
        proto::Measure::Hd95 => Some(Measure::Hd95),
        proto::Measure::Nsd => Some(Measure::Nsd),
        proto::Measure::DiceMissesZero => Some(Measure::DiceMissesZero),
    }
}
