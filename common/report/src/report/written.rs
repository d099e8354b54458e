//! `report.json` as bytes.
//!
//! Nearly all of it is what sites say of groups. Two halves of that are written beside each other; what stands
//! before it and behind it in canonical order is little.

use fedval_study::canonical::append;
use fedval_study::{Canonical, CanonicalError};
use serde::Serialize;

use super::{
    ClassSection, ConditionSummary, DetectionSection, DisclosureSection, Gap, MeansOverSites,
    ModelIdentity, OperatingPointSummary, Participants, QuantitySection, Report, RiskOfBias,
    RoundIdentity, SegmentationSection, Site, Software, StudyIdentity, Syntheses, Verdict,
};

/// The members whose keys stand before `subgroups`.
#[derive(Serialize)]
struct Before<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<&'r ClassSection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conditions: Option<&'r [ConditionSummary]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detection: Option<&'r DetectionSection>,
    disclosure: &'r DisclosureSection,
    gaps: &'r [Gap],
    limits: &'r [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    means_over_sites: Option<&'r MeansOverSites>,
    model: &'r ModelIdentity,
    operating_points: &'r [OperatingPointSummary],
    participants: &'r Participants,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<&'r QuantitySection>,
    risk_of_bias: &'r [RiskOfBias],
    round: &'r RoundIdentity,
    schema: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    segmentation: Option<&'r SegmentationSection>,
    sites: &'r [Site],
    software: &'r Software,
    study: &'r StudyIdentity,
}

/// Those behind it.
#[derive(Serialize)]
struct Behind<'r> {
    synthesis: &'r Syntheses,
    verdicts: &'r [Verdict],
}

/// What a site says of a group takes less than this: room for all of it is made at once.
const ROOM: usize = 450;

/// The canonical form, as [`Report::canonical`] has it.
///
/// # Errors
///
/// [`CanonicalError`] if a count is too large to stand in JSON, which no cohort is.
pub(crate) fn written(report: &Report) -> Result<Vec<u8>, CanonicalError> {
    let cells: usize = report.subgroups.iter().map(|group| group.sites.len()).sum();
    let (one, other) = report.subgroups.split_at(report.subgroups.len() / 2);
    let (before, behind) = around(report);
    let room = || Vec::with_capacity(cells.saturating_mul(ROOM));
    let (begun, rest) = rayon::join(
        || {
            let mut begun = room();
            append(&before, &mut begun)?;
            begun.pop();
            begun.extend_from_slice(b",\"subgroups\":");
            append(one, &mut begun)?;
            Ok(begun)
        },
        || {
            let mut rest = room();
            append(other, &mut rest).map(|()| rest)
        },
    );
    let (mut whole, rest) = (begun?, rest?);
    // Of a single group, the first half is empty.
    whole.pop();
    if !one.is_empty() {
        whole.push(b',');
    }
    whole.extend_from_slice(&rest[1..]);
    whole.push(b',');
    whole.extend_from_slice(&Canonical::new(behind)?.bytes()[1..]);
    whole.shrink_to_fit();
    Ok(whole)
}

/// All but the groups.
fn around(report: &Report) -> (Before<'_>, Behind<'_>) {
    // Named one by one, so that none that is added is forgotten.
    let Report {
        classes,
        conditions,
        detection,
        disclosure,
        gaps,
        limits,
        means_over_sites,
        model,
        operating_points,
        participants,
        quantity,
        risk_of_bias,
        round,
        schema,
        segmentation,
        sites,
        software,
        study,
        subgroups: _,
        synthesis,
        verdicts,
    } = report;
    let before = Before {
        classes: classes.as_ref(),
        conditions: (!conditions.is_empty()).then_some(conditions.as_slice()),
        detection: detection.as_ref(),
        disclosure,
        gaps,
        limits,
        means_over_sites: (!means_over_sites.is_empty()).then_some(means_over_sites),
        model,
        operating_points,
        participants,
        quantity: quantity.as_ref(),
        risk_of_bias,
        round,
        schema,
        segmentation: segmentation.as_ref(),
        sites,
        software,
        study,
    };
    (before, Behind { synthesis, verdicts })
}
