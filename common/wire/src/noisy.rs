//! A release with noise.

use fedval_proto as proto;
use fedval_study::noisy::NoisyCount;
use fedval_study::result::SubgroupCell;
use fedval_study::{Cell, NoisyPerformance, Release};

use crate::WireError;
use crate::primitive::id;
use crate::release::{attrition_from_wire, attrition_to_wire};
use crate::terms::{mark, mark_from_wire, terms_from_wire, terms_to_wire};

pub(crate) fn noisy_to_wire(release: &Release<NoisyPerformance>) -> proto::NoisyRelease {
    proto::NoisyRelease {
        terms: Some(terms_to_wire(&release.terms)),
        attrition: release.attrition.iter().map(attrition_to_wire).collect(),
        overall: Some(group_to_wire(&release.overall)),
        subgroups: release.subgroups.iter().map(cell_to_wire).collect(),
    }
}

pub(crate) fn noisy_from_wire(
    release: proto::NoisyRelease,
) -> Result<Release<NoisyPerformance>, WireError> {
    let attrition = release.attrition.into_iter().map(attrition_from_wire);
    let subgroups = release.subgroups.into_iter().map(cell_from_wire);
    Ok(Release {
        terms: terms_from_wire(release.terms)?,
        attrition: attrition.collect::<Result<_, _>>()?,
        overall: group_from_wire(&release.overall.ok_or(WireError::missing("overall"))?),
        subgroups: subgroups.collect::<Result<_, _>>()?,
    })
}

fn cell_to_wire(cell: &SubgroupCell<NoisyPerformance>) -> proto::NoisyCell {
    use proto::noisy_cell::Cell as WireCell;
    proto::NoisyCell {
        dimension: cell.dimension.to_string(),
        category: cell.category.to_string(),
        cell: Some(match &cell.performance {
            Cell::Released(group) => WireCell::Performance(group_to_wire(group)),
            Cell::Suppressed => WireCell::Suppressed(mark()),
        }),
    }
}

fn cell_from_wire(cell: proto::NoisyCell) -> Result<SubgroupCell<NoisyPerformance>, WireError> {
    use proto::noisy_cell::Cell as WireCell;
    Ok(SubgroupCell {
        dimension: id("subgroups.dimension", &cell.dimension)?,
        category: id("subgroups.category", &cell.category)?,
        performance: match cell.cell.ok_or(WireError::missing("subgroups.cell"))? {
            WireCell::Performance(group) => Cell::Released(group_from_wire(&group)),
            WireCell::Suppressed(why) => mark_from_wire(why)?,
        },
    })
}

fn group_to_wire(group: &NoisyPerformance) -> proto::NoisyPerformance {
    let bins = |counts: &[NoisyCount]| counts.iter().map(|count| count.0).collect();
    proto::NoisyPerformance { positives: bins(&group.positives), negatives: bins(&group.negatives) }
}

fn group_from_wire(group: &proto::NoisyPerformance) -> NoisyPerformance {
    let counts = |bins: &[i64]| bins.iter().copied().map(NoisyCount).collect();
    NoisyPerformance { positives: counts(&group.positives), negatives: counts(&group.negatives) }
}
