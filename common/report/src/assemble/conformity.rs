//! Whether protocol, round record and results belong together.

use std::collections::{BTreeMap, BTreeSet};

use fedval_disclosure::floor;
use fedval_disclosure::rules::dc01_closed_schema;
use fedval_preprocess::probe::Expected;
use fedval_study::condition_groups;
use fedval_study::protocol::PredictionTables;
use fedval_study::{
    Canonical, LockedProtocol, Outcome, ProtocolHistory, ResultDigest, RoundRecord, ScoreSource,
    SiteId, SiteRecord, SiteResult, SiteStatus, Terms,
};
use rayon::prelude::*;

use super::{AssembleError, Given};

/// Checks all three against each other.
pub(super) fn check(
    history: &ProtocolHistory,
    round: &RoundRecord,
    results: &BTreeMap<&SiteId, Given<'_>>,
) -> Result<(), AssembleError> {
    check_round(history, round)?;
    let protocol = history.in_force();
    let probes = Expected::default();
    // The first in order of sites is the one that is told.
    let refused = round.sites.par_iter().find_map_first(|record| {
        let given = results.get(&record.site).copied();
        check_answer(protocol, round, record, given, &probes).err()
    });
    if let Some(error) = refused {
        return Err(error);
    }
    let listed: BTreeSet<&SiteId> = round.sites.iter().map(|record| &record.site).collect();
    match results.keys().find(|site| !listed.contains(**site)) {
        Some(site) => Err(AssembleError::ResultUnexpected { site: (*site).clone() }),
        None => Ok(()),
    }
}

fn check_answer(
    protocol: &LockedProtocol,
    round: &RoundRecord,
    record: &SiteRecord,
    given: Option<Given<'_>>,
    probes: &Expected,
) -> Result<(), AssembleError> {
    match (given, record.status) {
        (None, SiteStatus::Missing) => check_missing(record),
        (None, _) => Err(AssembleError::ResultAbsent { site: record.site.clone() }),
        (Some(given), _) => {
            check_record(record, given)?;
            if given.is_checked {
                return Ok(());
            }
            check_result(protocol, round, &record.site, given.result, probes)
        }
    }
}

/// Checks that the round is about the protocol, knows its versions, and lists every site once, in order.
pub(crate) fn check_round(
    history: &ProtocolHistory,
    round: &RoundRecord,
) -> Result<(), AssembleError> {
    let protocol = history.in_force();
    let plan = protocol.protocol();
    let recorded = round.protocols.iter().map(|record| record.protocol);
    // Releases that knew no amendments recorded no versions.
    let knows_none = round.protocols.is_empty() && history.earlier().is_empty();
    let knows_versions = knows_none || history.versions().map(LockedProtocol::digest).eq(recorded);
    let agreements = [
        (round.study == plan.id, "study"),
        (round.protocol == protocol.digest(), "protocol digest"),
        (round.model == plan.model.digest, "model digest"),
        (knows_versions, "versions of the protocol"),
    ];
    if let Some((_, field)) = agreements.into_iter().find(|(agrees, _)| !agrees) {
        return Err(AssembleError::RoundDisagrees { field });
    }
    let in_order = round.sites.windows(2).all(|pair| match pair {
        [left, right] => left.site < right.site,
        _ => true,
    });
    if in_order { Ok(()) } else { Err(AssembleError::SitesOutOfOrder) }
}

/// A site that is missing has neither a digest nor a time of arrival.
fn check_missing(record: &SiteRecord) -> Result<(), AssembleError> {
    if record.result.is_none() && record.recorded_at_ms.is_none() {
        return Ok(());
    }
    Err(AssembleError::ResultAbsent { site: record.site.clone() })
}

fn check_record(record: &SiteRecord, given: Given<'_>) -> Result<(), AssembleError> {
    let site = || record.site.clone();
    let disagrees = |field| AssembleError::RecordDisagrees { site: site(), field };
    if record.status.as_str() != given.result.outcome.status() {
        return Err(disagrees("status"));
    }
    if record.recorded_at_ms.is_none() {
        return Err(disagrees("time of arrival"));
    }
    let digest = match given.digest {
        Some(digest) => digest,
        None => Canonical::new(given.result)
            .map(|canonical| ResultDigest(canonical.digest()))
            .map_err(|source| AssembleError::NotCanonical { site: site(), source })?,
    };
    if record.result != Some(digest) {
        return Err(disagrees("digest"));
    }
    Ok(())
}

/// Checks that a result is about this study, round and site, that its images were prepared as the protocol says, and
/// that its aggregates can be. `probes` are those of this protocol.
pub(crate) fn check_result(
    protocol: &LockedProtocol,
    round: &RoundRecord,
    site: &SiteId,
    result: &SiteResult,
    probes: &Expected,
) -> Result<(), AssembleError> {
    let header = &result.header;
    let agreements = [
        (header.study == round.study, "study"),
        (header.protocol == protocol.digest(), "protocol digest"),
        (header.model == protocol.protocol().model.digest, "model digest"),
        (header.round == round.round, "round"),
        (header.site == *site, "site"),
    ];
    if let Some((_, field)) = agreements.into_iter().find(|(agrees, _)| !agrees) {
        return Err(AssembleError::HeaderDisagrees { site: site.clone(), field });
    }
    let terms = result.outcome.terms();
    probes
        .judge(protocol.protocol(), header, terms.is_some())
        .map_err(|source| AssembleError::Preprocessing { site: site.clone(), source })?;
    match terms {
        Some(terms) => check_release(protocol, site, result, terms),
        None => Ok(()),
    }
}

fn check_release(
    protocol: &LockedProtocol,
    site: &SiteId,
    result: &SiteResult,
    terms: Terms,
) -> Result<(), AssembleError> {
    let plan = protocol.protocol();
    // Nothing is released from no cohort, or under no policy.
    for (named, field) in
        [(result.header.cohort.is_some(), "cohort"), (result.header.policy.is_some(), "policy")]
    {
        if !named {
            return Err(AssembleError::HeaderDisagrees { site: site.clone(), field });
        }
    }
    if result.header.scores == ScoreSource::PredictionTable
        && plan.prediction_tables == PredictionTables::Refuse
    {
        return Err(AssembleError::PredictionsNotAccepted { site: site.clone() });
    }
    if !terms.keeps(floor(plan)) {
        return Err(AssembleError::BelowFloor { site: site.clone() });
    }
    let schema = match &result.outcome {
        Outcome::Released(release) => {
            let groups = release.subgroups.iter().filter_map(|cell| cell.performance.released());
            for performance in std::iter::once(&release.overall).chain(groups) {
                performance.check().map_err(|source| AssembleError::Contradictory {
                    site: site.clone(),
                    source,
                })?;
            }
            dc01_closed_schema::check_consistent(release, plan)
        }
        Outcome::ReleasedCoarse(release) => dc01_closed_schema::check_coarse(release, plan),
        Outcome::ReleasedClasses(release) => {
            release
                .overall
                .check()
                .map_err(|source| AssembleError::Contradictory { site: site.clone(), source })?;
            dc01_closed_schema::check_classes(release, plan)
        }
        Outcome::ReleasedConditions(release) => {
            release
                .overall
                .check()
                .and_then(|()| condition_groups::check(&release.overall, &release.subgroups))
                .map_err(|source| AssembleError::Contradictory { site: site.clone(), source })?;
            dc01_closed_schema::check_conditions(release, plan)
        }
        Outcome::ReleasedMeasures(release) => dc01_closed_schema::check_measures(release, plan),
        Outcome::ReleasedDetection(release) => {
            let task = plan.task.detection();
            let groups = release.subgroups.iter().filter_map(|cell| cell.performance.released());
            let mut groups = std::iter::once(&release.overall).chain(groups);
            let found = task.map_or(Ok(()), |task| groups.try_for_each(|group| group.check(task)));
            found.map_err(|source| AssembleError::Contradictory { site: site.clone(), source })?;
            dc01_closed_schema::check_detection(release, plan)
        }
        Outcome::ReleasedNoisy(release) => dc01_closed_schema::check_noisy(release, plan),
        Outcome::Insufficient | Outcome::Refused | Outcome::Failed(_) => Ok(()),
    };
    schema.map_err(|source| AssembleError::Schema { site: site.clone(), source })
}
