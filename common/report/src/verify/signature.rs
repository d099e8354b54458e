//! Who signed what, and whether the documents speak of the same study, round and site.

use std::borrow::Cow;

use fedval_study::{ResultDigest, Sha256Digest, SiteId, SiteRecord, SiteResult, Timestamp};
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

/// A result is signed by its site when it was recorded, and the one that the round record lists.
pub(super) fn judge_signature<'f>(
    documents: &Documents<'f>,
    record: &SiteRecord,
    is_held: bool,
) -> Judged<'f> {
    match signed_result(documents, record) {
        Err(problem) => Judged::failed(problem),
        Ok((bytes, digest)) => Judged {
            check: Ok(()),
            digest: Some(digest),
            held: is_held.then_some(bytes),
            value: None,
        },
    }
}

fn signed_result<'f>(
    documents: &Documents<'f>,
    record: &SiteRecord,
) -> Result<(Cow<'f, [u8]>, Sha256Digest), String> {
    let path = layout::result(&record.site);
    let recorded = record
        .recorded_at_ms
        .ok_or_else(|| "has no time of arrival in the round record".to_owned())?;
    let bytes = documents.signed(
        &Role::Site(record.site.clone()),
        &path,
        PayloadType::SiteResult,
        Timestamp::from_unix_millis(recorded),
        documents.bytes(&path)?,
    )?;
    let digest = Sha256Digest::of(&bytes);
    if record.result != Some(ResultDigest(digest)) {
        return Err("is not the result that the round record lists".to_owned());
    }
    Ok((bytes, digest))
}

/// A result whose signature holds is canonical, about this study, and consistent in itself.
///
/// Bytes that something was made of in this process have been read and found consistent.
pub(super) fn judge_content<'f>(
    documents: &Documents<'f>,
    site: &SiteId,
    signed: Judged<'f>,
    made: Option<&Made<'_>>,
) -> Judged<'f> {
    let Judged { check: Ok(()), digest: Some(digest), held, .. } = signed else { return signed };
    match read_result(documents, site, (held, digest), made) {
        Err(problem) => Judged::failed(problem),
        Ok(value) => Judged { check: Ok(()), digest: Some(digest), held: None, value },
    }
}

fn read_result<'f>(
    documents: &Documents<'f>,
    site: &SiteId,
    (held, digest): (Option<Cow<'f, [u8]>>, Sha256Digest),
    made: Option<&Made<'_>>,
) -> Result<Option<SiteResult>, String> {
    let is_known = made.is_some_and(|made| made.results.get(site) == Some(&ResultDigest(digest)));
    if is_known || !documents.is_worth_making {
        return Ok(None);
    }
    let bytes = match held {
        Some(bytes) => bytes,
        None => fetched_again(documents, site, digest)?,
    };
    let result: SiteResult = canonical(&bytes)?;
    conforms(
        documents.protocol_for_judging()?,
        documents.round_for_judging()?,
        site,
        &result,
        &documents.probes,
    )
    .map_err(|error| chain(&error))?;
    Ok(Some(result))
}

/// The bytes that were judged: what lies there may have changed since.
fn fetched_again<'f>(
    documents: &Documents<'f>,
    site: &SiteId,
    digest: Sha256Digest,
) -> Result<Cow<'f, [u8]>, String> {
    let bytes = documents.bytes(&layout::result(site))?;
    if Sha256Digest::of(&bytes) == digest {
        Ok(bytes)
    } else {
        Err("changed while it was verified".to_owned())
    }
}

fn opened(documents: &Documents<'_>) -> Result<Timestamp, String> {
    documents.round_for_judging().map(|round| Timestamp::from_unix_millis(round.opened_at_ms))
}
