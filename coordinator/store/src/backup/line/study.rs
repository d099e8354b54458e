//! Lines of studies, the versions of their protocols, and rounds.

use fedval_ambient::Timestamp;
use fedval_core::port::{DraftVersion, Endorsement, LockedVersion, RoundRow, Snapshot, StudyRow};
use fedval_study::StudyId;

use super::{Hex, Line, StudyState, millis, moment};

pub(super) fn study_lines(row: &StudyRow) -> impl Iterator<Item = Line> {
    let line = |version, state, protocol: &[u8], endorsements: &[Endorsement]| Line::Study {
        study: row.study.clone(),
        version: Some(version),
        state,
        protocol: Hex(protocol.to_vec()),
        endorsements: endorsements.to_vec(),
    };
    let locked = row.locked.iter();
    let locked =
        locked.map(move |v| line(v.version, StudyState::Locked, &v.protocol, &v.endorsements));
    let draft = row.draft.iter();
    locked
        .chain(draft.map(move |draft| line(draft.version, StudyState::Draft, &draft.protocol, &[])))
}

/// Adds a version to the study it is of.
pub(super) fn add_version(
    snapshot: &mut Snapshot,
    study: StudyId,
    state: StudyState,
    (version, protocol): (Option<u32>, Vec<u8>),
    endorsements: Vec<Endorsement>,
) {
    let version = version.unwrap_or_else(|| written_version(&protocol));
    if snapshot.studies.last().is_none_or(|last| last.study != study) {
        snapshot.studies.push(StudyRow { study, locked: Vec::new(), draft: None });
    }
    let Some(row) = snapshot.studies.last_mut() else { return };
    match state {
        StudyState::Locked => row.locked.push(LockedVersion { version, protocol, endorsements }),
        StudyState::Draft => row.draft = Some(DraftVersion { version, protocol }),
    }
}

/// The number that a protocol gives itself.
fn written_version(protocol: &[u8]) -> u32 {
    let document: Option<serde_json::Value> = serde_json::from_slice(protocol).ok();
    let version = document.as_ref().and_then(|document| document.get("version")?.as_u64());
    version.and_then(|version| version.try_into().ok()).unwrap_or(1)
}

/// The version of a study that had one.
fn only_version(snapshot: &Snapshot, study: &StudyId) -> u32 {
    let row = snapshot.studies.iter().find(|row| row.study == *study);
    row.and_then(StudyRow::in_force).map_or(1, |locked| locked.version)
}

pub(super) fn round_line(row: &RoundRow) -> Line {
    Line::Round {
        round: row.round.clone(),
        study: row.study.clone(),
        number: row.number,
        protocol_version: Some(row.protocol_version),
        opened_at_ms: row.opened_at.unix_millis(),
        closed_at_ms: millis(row.closed_at),
        deadline_at_ms: millis(row.deadline_at),
    }
}

/// A round, after the lines of its study.
pub(super) fn round_row(snapshot: &Snapshot, line: Line) -> Option<RoundRow> {
    let Line::Round {
        round,
        study,
        number,
        protocol_version,
        opened_at_ms,
        closed_at_ms,
        deadline_at_ms,
    } = line
    else {
        return None;
    };
    Some(RoundRow {
        protocol_version: protocol_version.unwrap_or_else(|| only_version(snapshot, &study)),
        round,
        study,
        number,
        opened_at: Timestamp::from_unix_millis(opened_at_ms),
        closed_at: moment(closed_at_ms),
        deadline_at: moment(deadline_at_ms),
    })
}
