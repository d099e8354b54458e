//! The vetted aggregates of a task with several classes.

use fedval_proto as proto;
use fedval_study::classes::ClassAreas;
use fedval_study::{ClassPerformance, Release, Terms};

use crate::WireError;
use crate::primitive::{enumeration, wide_from_wire, wide_to_wire};
use crate::release::{attrition_from_wire, attrition_to_wire};
use crate::terms::{profile_from_wire, profile_to_wire};

pub(crate) fn classes_to_wire(release: &Release<ClassPerformance>) -> proto::ClassRelease {
    let row = |counts: &Vec<u64>| proto::ClassRow { patients: counts.clone() };
    let sums =
        |row: &Vec<u128>| proto::WideRow { sums: row.iter().copied().map(wide_to_wire).collect() };
    proto::ClassRelease {
        profile: profile_to_wire(release.terms.profile).into(),
        k: release.terms.k,
        attrition: release.attrition.iter().map(attrition_to_wire).collect(),
        overall: Some(proto::ClassPerformance {
            confusion: release.overall.confusion.iter().map(row).collect(),
            areas: release.overall.areas.as_deref().map(|areas| proto::ClassAreas {
                totals: areas.totals.iter().map(sums).collect(),
                products: areas.products.iter().map(sums).collect(),
            }),
        }),
    }
}

pub(crate) fn classes_from_wire(
    release: proto::ClassRelease,
) -> Result<Release<ClassPerformance>, WireError> {
    let overall = release.overall.ok_or(WireError::missing("overall"))?;
    let sums = |row: proto::WideRow| -> Vec<u128> {
        row.sums.into_iter().map(|sum| wide_from_wire(Some(sum))).collect()
    };
    let areas = |areas: proto::ClassAreas| ClassAreas {
        totals: areas.totals.into_iter().map(sums).collect(),
        products: areas.products.into_iter().map(sums).collect(),
    };
    let attrition = release.attrition.into_iter().map(attrition_from_wire);
    Ok(Release {
        // There is no other form of them.
        terms: Terms::exact(enumeration("profile", release.profile, profile_from_wire)?, release.k),
        attrition: attrition.collect::<Result<_, _>>()?,
        overall: ClassPerformance {
            confusion: overall.confusion.into_iter().map(|row| row.patients).collect(),
            areas: overall.areas.map(areas).map(Box::new),
        },
        subgroups: Vec::new(),
    })
}
