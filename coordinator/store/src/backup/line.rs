//! Rows as lines of JSON: each says of what kind it is, and rows stand before those that refer to
//! them. The names are a format: a field is added with a default, and never renamed.

mod study;

use fedval_ambient::Timestamp;
use fedval_core::port::{
    CosignatureRow, CredentialRow, DispatchRow, Endorsement, InvitationId, InvitationRow,
    InvitationState, LedgerMarkRow, NewInvitation, PersonRow, Phase, PublicKey, SignatureRow,
    SiteRow, SiteState, Snapshot, StoredResult,
};
use fedval_study::{
    ElectronicSignature, LedgerMark, LogCheckpoint, LogEntry, Name, PersonRole, ResultDigest,
    RoundId, Sha256Digest, SiteId, StudyId,
};
use serde::{Deserialize, Serialize};

/// Bytes as hexadecimal digits.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Hex(Vec<u8>);

impl From<Hex> for String {
    fn from(bytes: Hex) -> Self {
        use std::fmt::Write as _;
        let mut text = Self::with_capacity(bytes.0.len() * 2);
        for byte in bytes.0 {
            write!(text, "{byte:02x}").expect("a text takes every digit");
        }
        text
    }
}

impl TryFrom<String> for Hex {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "not hexadecimal";
        if !text.len().is_multiple_of(2) || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(WRONG);
        }
        let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| WRONG);
        (0..text.len()).step_by(2).map(byte).collect::<Result<_, _>>().map(Self)
    }
}

impl Hex {
    fn array<const N: usize>(self) -> Option<[u8; N]> {
        self.0.try_into().ok()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[serde(remote = "SiteState")]
enum SiteStateText {
    Invited,
    Enrolled,
    Revoked,
}

/// Where a version of a protocol stands.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StudyState {
    Draft,
    Locked,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[serde(remote = "Phase")]
enum PhaseText {
    Queued,
    Approved,
    Downloading,
    Evaluating,
    AwaitingRelease,
    Sent,
}

/// A phase by its name.
#[derive(Serialize, Deserialize)]
struct NamedPhase(#[serde(with = "PhaseText")] Phase);

/// One row.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Site {
        site: SiteId,
        #[serde(with = "SiteStateText")]
        state: SiteState,
        key: Option<Hex>,
        certificate: Option<String>,
    },
    Invitation {
        invitation: Hex,
        site: SiteId,
        token_sha256: Sha256Digest,
        expires_at_ms: i64,
        redeemed_by: Option<Hex>,
        replaced: bool,
        wrong_tries: u32,
    },
    Operator {
        name: Name,
        #[serde(default = "operator")]
        role: PersonRole,
        key: Hex,
    },
    /// One version of a study's protocol, in order; a draft comes last.
    Study {
        study: StudyId,
        /// Earlier releases had one, whose number stands in the protocol.
        version: Option<u32>,
        state: StudyState,
        protocol: Hex,
        endorsements: Vec<Endorsement>,
    },
    Round {
        round: RoundId,
        study: StudyId,
        number: u32,
        /// Earlier releases had one.
        protocol_version: Option<u32>,
        opened_at_ms: i64,
        closed_at_ms: Option<i64>,
        deadline_at_ms: Option<i64>,
    },
    Dispatch {
        round: RoundId,
        site: SiteId,
        dispatch: Hex,
        endorsement: Endorsement,
        dispatched_at_ms: i64,
        phase: Option<NamedPhase>,
        lease_epoch: u64,
        lease_ends_at_ms: Option<i64>,
    },
    Result {
        round: RoundId,
        site: SiteId,
        result: Hex,
        digest: ResultDigest,
        endorsement: Endorsement,
        recorded_at_ms: i64,
    },
    Epoch {
        site: SiteId,
        epoch: u64,
    },
    LedgerMark {
        site: SiteId,
        entries: u64,
        head: Sha256Digest,
        signature: Hex,
    },
    LogEntry {
        entry: LogEntry,
    },
    Cosignature {
        site: SiteId,
        checkpoint: LogCheckpoint,
        endorsement: Endorsement,
    },
    Credential {
        name: Name,
        password_hash: String,
        is_issued: bool,
    },
    ElectronicSignature {
        statement: ElectronicSignature,
        endorsement: Endorsement,
    },
}

fn key_hex(key: &PublicKey) -> Hex {
    Hex(key.as_bytes().to_vec())
}

fn millis(moment: Option<Timestamp>) -> Option<i64> {
    moment.map(Timestamp::unix_millis)
}

fn moment(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_unix_millis)
}

fn site_line((row, key): &(SiteRow, Option<PublicKey>)) -> Line {
    Line::Site {
        site: row.site.clone(),
        state: row.state,
        key: key.as_ref().map(key_hex),
        certificate: row.certificate.clone(),
    }
}

fn invitation_line(row: &InvitationRow) -> Line {
    let redeemed_by = match &row.state {
        InvitationState::Redeemed(key) => Some(key_hex(key)),
        InvitationState::Pending | InvitationState::Replaced => None,
    };
    Line::Invitation {
        invitation: Hex(row.invitation.id.as_bytes().to_vec()),
        site: row.invitation.site.clone(),
        token_sha256: row.invitation.token_hash,
        expires_at_ms: row.invitation.expires_at.unix_millis(),
        redeemed_by,
        replaced: row.state == InvitationState::Replaced,
        wrong_tries: row.wrong_tries,
    }
}

fn person_line(row: &PersonRow) -> Line {
    Line::Operator { name: row.name.clone(), role: row.role, key: key_hex(&row.key) }
}

/// What everybody was before there were roles.
const fn operator() -> PersonRole {
    PersonRole::Operator
}

fn dispatch_line(row: &DispatchRow) -> Line {
    Line::Dispatch {
        round: row.round.clone(),
        site: row.site.clone(),
        dispatch: Hex(row.dispatch.clone()),
        endorsement: row.endorsement.clone(),
        dispatched_at_ms: row.dispatched_at.unix_millis(),
        phase: row.phase.map(NamedPhase),
        lease_epoch: row.lease_epoch,
        lease_ends_at_ms: millis(row.lease_ends_at),
    }
}

fn result_line(row: &StoredResult) -> Line {
    Line::Result {
        round: row.round.clone(),
        site: row.site.clone(),
        result: Hex(row.bytes.clone()),
        digest: row.digest,
        endorsement: row.endorsement.clone(),
        recorded_at_ms: row.recorded_at.unix_millis(),
    }
}

fn ledger_mark_line(row: &LedgerMarkRow) -> Line {
    Line::LedgerMark {
        site: row.mark.site.clone(),
        entries: row.mark.entries,
        head: row.mark.head,
        signature: Hex(row.signature.as_bytes().to_vec()),
    }
}

fn cosignature_line(row: &CosignatureRow) -> Line {
    Line::Cosignature {
        site: row.site.clone(),
        checkpoint: row.checkpoint,
        endorsement: row.endorsement.clone(),
    }
}

fn credential_line(row: &CredentialRow) -> Line {
    let CredentialRow { name, password_hash, is_issued } = row.clone();
    Line::Credential { name, password_hash, is_issued }
}

fn signature_line(row: &SignatureRow) -> Line {
    let SignatureRow { statement, endorsement } = row.clone();
    Line::ElectronicSignature { statement, endorsement }
}

/// A snapshot's rows, each on a line of its own.
pub(super) fn lines_of(snapshot: &Snapshot) -> impl Iterator<Item = serde_json::Result<String>> {
    let epoch = |(site, epoch): &(SiteId, u64)| Line::Epoch { site: site.clone(), epoch: *epoch };
    let lines = snapshot.sites.iter().map(site_line);
    let lines = lines.chain(snapshot.invitations.iter().map(invitation_line));
    let lines = lines.chain(snapshot.people.iter().map(person_line));
    let lines = lines.chain(snapshot.studies.iter().flat_map(study::study_lines));
    let lines = lines.chain(snapshot.rounds.iter().map(study::round_line));
    let lines = lines.chain(snapshot.dispatches.iter().map(dispatch_line));
    let lines = lines.chain(snapshot.results.iter().map(result_line));
    let lines = lines.chain(snapshot.epochs.iter().map(epoch));
    let lines = lines.chain(snapshot.ledger_marks.iter().map(ledger_mark_line));
    let log_entry = |entry: &LogEntry| Line::LogEntry { entry: entry.clone() };
    let lines = lines.chain(snapshot.log.iter().map(log_entry));
    let lines = lines.chain(snapshot.cosignatures.iter().map(cosignature_line));
    let lines = lines.chain(snapshot.credentials.iter().map(credential_line));
    let lines = lines.chain(snapshot.signatures.iter().map(signature_line));
    lines.map(|line| serde_json::to_string(&line).map(|line| line + "\n"))
}

/// Adds the row that a line holds; `None` where it is no row.
pub(super) fn add_line(snapshot: &mut Snapshot, line: &str) -> Option<()> {
    let key = |hex: Hex| hex.array().map(PublicKey::from_bytes);
    match serde_json::from_str(line).ok()? {
        Line::Site { site, state, key: hex, certificate } => {
            let key = match hex {
                Some(hex) => Some(key(hex)?),
                None => None,
            };
            snapshot.sites.push((SiteRow { site, state, certificate }, key));
        }
        invitation @ Line::Invitation { .. } => {
            snapshot.invitations.push(invitation_row(invitation)?);
        }
        Line::Operator { name, role, key: hex } => {
            snapshot.people.push(PersonRow { name, role, key: key(hex)? });
        }
        Line::Study { study, version, state, protocol, endorsements } => {
            study::add_version(snapshot, study, state, (version, protocol.0), endorsements);
        }
        round @ Line::Round { .. } => snapshot.rounds.push(study::round_row(snapshot, round)?),
        dispatch @ Line::Dispatch { .. } => snapshot.dispatches.push(dispatch_row(dispatch)?),
        Line::Result { round, site, result, digest, endorsement, recorded_at_ms } => {
            let recorded_at = Timestamp::from_unix_millis(recorded_at_ms);
            let bytes = result.0;
            snapshot.results.push(StoredResult {
                round,
                site,
                bytes,
                digest,
                endorsement,
                recorded_at,
            });
        }
        Line::Epoch { site, epoch } => snapshot.epochs.push((site, epoch)),
        Line::LedgerMark { site, entries, head, signature } => {
            let signature = signature.0.as_slice().try_into().ok()?;
            let mark = LedgerMark { site, entries, head };
            snapshot.ledger_marks.push(LedgerMarkRow { mark, signature });
        }
        Line::LogEntry { entry } => snapshot.log.push(entry),
        Line::Cosignature { site, checkpoint, endorsement } => {
            snapshot.cosignatures.push(CosignatureRow { site, checkpoint, endorsement });
        }
        Line::Credential { name, password_hash, is_issued } => {
            snapshot.credentials.push(CredentialRow { name, password_hash, is_issued });
        }
        Line::ElectronicSignature { statement, endorsement } => {
            snapshot.signatures.push(SignatureRow { statement, endorsement });
        }
    }
    Some(())
}

fn invitation_row(line: Line) -> Option<InvitationRow> {
    let Line::Invitation {
        invitation,
        site,
        token_sha256,
        expires_at_ms,
        redeemed_by,
        replaced,
        wrong_tries,
    } = line
    else {
        return None;
    };
    let state = match (redeemed_by, replaced) {
        (None, false) => InvitationState::Pending,
        (None, true) => InvitationState::Replaced,
        (Some(key), false) => InvitationState::Redeemed(PublicKey::from_bytes(key.array()?)),
        (Some(_), true) => return None,
    };
    let invitation = NewInvitation {
        id: InvitationId::from_bytes(invitation.array()?),
        site,
        token_hash: token_sha256,
        expires_at: Timestamp::from_unix_millis(expires_at_ms),
    };
    Some(InvitationRow { invitation, state, wrong_tries })
}

fn dispatch_row(line: Line) -> Option<DispatchRow> {
    let Line::Dispatch {
        round,
        site,
        dispatch,
        endorsement,
        dispatched_at_ms,
        phase,
        lease_epoch,
        lease_ends_at_ms,
    } = line
    else {
        return None;
    };
    Some(DispatchRow {
        round,
        site,
        dispatch: dispatch.0,
        endorsement,
        dispatched_at: Timestamp::from_unix_millis(dispatched_at_ms),
        phase: phase.map(|named| named.0),
        lease_epoch,
        lease_ends_at: moment(lease_ends_at_ms),
    })
}
