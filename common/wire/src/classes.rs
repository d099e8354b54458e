//! The vetted aggregates of a task with several classes.

use fedval_proto as proto;
use fedval_study::classes::ClassAreas;
use fedval_study::{ClassPerformance, Release, Terms};

use crate::WireError;
use crate::performance::{ranks_from_wire, ranks_to_wire};
use crate::primitive::enumeration;
use crate::release::{attrition_from_wire, attrition_to_wire};
use crate::terms::{profile_from_wire, profile_to_wire};

pub(crate) fn classes_to_wire(release: &Release<ClassPerformance>) -> proto::ClassRelease {
    let row = |counts: &Vec<u64>| proto::ClassRow { patients: counts.clone() };
    proto::ClassRelease {
        profile: profile_to_wire(release.terms.profile).into(),
        k: release.terms.k,
        attrition: release.attrition.iter().map(attrition_to_wire).collect(),
        overall: Some(proto::ClassPerformance {
            confusion: release.overall.confusion.iter().map(row).collect(),
            areas: release.overall.areas.as_deref().map(|areas| proto::ClassAreas {
                ranks: areas.ranks.iter().map(ranks_to_wire).collect(),
                macro_se_nano: areas.macro_se_nano,
            }),
        }),
    }
}

pub(crate) fn classes_from_wire(
    release: proto::ClassRelease,
) -> Result<Release<ClassPerformance>, WireError> {
    let overall = release.overall.ok_or(WireError::missing("overall"))?;
    let areas = |areas: proto::ClassAreas| ClassAreas {
        ranks: areas.ranks.iter().map(ranks_from_wire).collect(),
        macro_se_nano: areas.macro_se_nano,
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
