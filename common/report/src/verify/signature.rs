//! Who signed what, and whether the documents speak of the same study, round and site.

use fedval_study::{ResultDigest, Sha256Digest, SiteRecord, SiteResult, Timestamp};
use fedval_trust::{PayloadType, Role};

use super::documents::{Documents, Judged, canonical, chain};
use super::{Made, PartCheck, part};
use crate::assemble::{check_result as conforms, check_round as agrees};
use crate::package::layout;
use crate::report::REPORT_REVISION;

/// The revision from which on a round record names every version of its protocol.
const FIRST_WITH_VERSIONS: u32 = 3;

/// The root is a root, issued by itself, valid when the round was opened, and the pinned one.
pub(super) fn check_root(documents: &Documents<'_>) -> Result<(), String> {
    let root = documents.root.as_ref().map_err(Clone::clone)?;
    if *root.role() != Role::Root {
        return Err("is not a root certificate".to_owned());
    }
    let opened = opened(documents)?;
    root.verify(root, opened).map_err(|error| chain(&error))
}

/// The protocol is canonical and signed by sponsor and coordinator.
pub(super) fn check_protocol(documents: &Documents<'_>) -> Result<(), String> {
    documents.protocol.as_ref().map_err(Clone::clone)?;
    let opened = opened(documents)?;
    [Role::Sponsor, Role::Coordinator].into_iter().try_for_each(|role| {
        documents.signed_by(&role, layout::PROTOCOL, PayloadType::Protocol, opened)
    })
}

/// Each version that the protocol amends is canonical, signed in the same way, and the one that is amended.
pub(super) fn check_earlier_protocols(documents: &Documents<'_>) -> Vec<PartCheck> {
    let history = match &documents.history {
        // Without the protocol nobody knows which versions belong here.
        Err(_) if documents.protocol.is_err() => return Vec::new(),
        Err(problem) => return vec![part(layout::EARLIER_PROTOCOLS, Err(problem.clone()))],
        Ok(history) => history,
    };
    let signed = |path: &str| {
        let opened = opened(documents)?;
        [Role::Sponsor, Role::Coordinator]
            .into_iter()
            .try_for_each(|role| documents.signed_by(&role, path, PayloadType::Protocol, opened))
    };
    let paths = history.earlier().iter().map(|v| layout::earlier_protocol(v.protocol().version));
    paths.map(|path| part(&path, signed(&path))).collect()
}

/// The round record is canonical, signed by the coordinator, and about the protocol.
pub(super) fn check_round(documents: &Documents<'_>) -> Result<(), String> {
    let round = documents.round.as_ref().map_err(Clone::clone)?;
    // Of a revision that nobody knows, nobody could say what belongs in it.
    if !(1..=REPORT_REVISION).contains(&round.report_revision) {
        let revision = round.report_revision;
        return Err(format!(
            "is of revision {revision} of reports, which this program does not know"
        ));
    }
    let then = documents.as_of()?;
    documents.signed_by(&Role::Coordinator, layout::ROUND, PayloadType::Round, then)?;
    if round.protocols.is_empty() && round.report_revision >= FIRST_WITH_VERSIONS {
        return Err("names no version of the protocol".to_owned());
    }
    agrees(documents.history_for_judging()?, round).map_err(|error| chain(&error))
}

/// A result is signed by its site when it was recorded, the one that the round record lists, canonical, about
/// this study, and consistent in itself. It is read only where its site signed it.
///
/// Bytes that something was made of in this process have been read and found consistent.
pub(super) fn judge_result(
    documents: &Documents<'_>,
    record: &SiteRecord,
    made: Option<&Made<'_>>,
) -> Judged {
    match read_result(documents, record, made) {
        Err(problem) => Judged::failed(problem),
        Ok((value, digest)) => Judged { check: Ok(()), digest: Some(digest), value },
    }
}

fn read_result(
    documents: &Documents<'_>,
    record: &SiteRecord,
    made: Option<&Made<'_>>,
) -> Result<(Option<SiteResult>, Sha256Digest), String> {
    let (site, path) = (&record.site, layout::result(&record.site));
    let round = documents.round_for_judging()?;
    let recorded = record
        .recorded_at_ms
        .ok_or_else(|| "has no time of arrival in the round record".to_owned())?;
    let bytes = documents.signed(
        &Role::Site(site.clone()),
        &path,
        PayloadType::SiteResult,
        Timestamp::from_unix_millis(recorded),
        documents.bytes(&path)?,
    )?;
    let digest = Sha256Digest::of(&bytes);
    if record.result != Some(ResultDigest(digest)) {
        return Err("is not the result that the round record lists".to_owned());
    }
    let is_known = made.is_some_and(|made| made.results.get(site) == Some(&ResultDigest(digest)));
    if is_known || !documents.is_worth_making {
        return Ok((None, digest));
    }
    let result: SiteResult = canonical(&bytes)?;
    conforms(documents.protocol_for_judging()?, round, site, &result, &documents.probes)
        .map_err(|error| chain(&error))?;
    Ok((Some(result), digest))
}

fn opened(documents: &Documents<'_>) -> Result<Timestamp, String> {
    documents.round_for_judging().map(|round| Timestamp::from_unix_millis(round.opened_at_ms))
}
