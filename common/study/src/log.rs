//! What the coordinator's transparency log holds: one entry for everything that a report rests on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;
use crate::digest::{ModelDigest, ProtocolDigest, ResultDigest, Sha256Digest};
use crate::id::{Name, RoundId, SiteId, StudyId};
use crate::person::PersonRole;
use crate::round::ProtocolRecord;

/// One entry. Its canonical bytes are a leaf of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    /// When it happened, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// What happened.
    pub event: LogEvent,
}

impl LogEntry {
    /// What makes it one of its kind: the same fact is never logged twice. Comings and goings
    /// repeat, so their moment belongs to them.
    #[must_use]
    pub fn key(&self) -> Sha256Digest {
        let repeats = matches!(
            self.event,
            LogEvent::SiteEnrolled { .. }
                | LogEvent::SiteRevoked { .. }
                | LogEvent::PersonAdmitted { .. }
                | LogEvent::PersonDismissed { .. }
        );
        let moment = if repeats { Some(self.at_ms) } else { None };
        // Debug writes every field of every event.
        Sha256Digest::of(format!("{:?}", (moment, &self.event)).as_bytes())
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum LogEvent {
    /// A protocol was locked.
    ProtocolLocked {
        /// The study.
        study: StudyId,
        /// The protocol.
        protocol: ProtocolDigest,
        /// Its model.
        model: ModelDigest,
    },
    /// A model was sent to a site's data.
    Dispatched {
        /// The study.
        study: StudyId,
        /// The round.
        round: RoundId,
        /// The site.
        site: SiteId,
        /// The protocol.
        protocol: ProtocolDigest,
        /// The model.
        model: ModelDigest,
    },
    /// A site answered.
    ResultRecorded {
        /// The round.
        round: RoundId,
        /// The site.
        site: SiteId,
        /// Its answer.
        result: ResultDigest,
    },
    /// A round was closed.
    RoundClosed {
        /// The round.
        round: RoundId,
    },
    /// A report was made.
    ReportBuilt {
        /// The round.
        round: RoundId,
        /// SHA-256 of `report.json`.
        report: Sha256Digest,
    },
    /// A person signed a report.
    ReportSigned {
        /// The round.
        round: RoundId,
        /// SHA-256 of `report.json`.
        report: Sha256Digest,
        /// The person.
        signer: Name,
        /// SHA-256 of the canonical [`ElectronicSignature`](crate::ElectronicSignature).
        signature: Sha256Digest,
    },
    /// A key may speak for a site from now on.
    SiteEnrolled {
        /// The site.
        site: SiteId,
        /// SHA-256 of its public key.
        key: Sha256Digest,
    },
    /// Nobody speaks for the site any more.
    SiteRevoked {
        /// The site.
        site: SiteId,
    },
    /// A key may speak for a person from now on, and an earlier one of the name no longer.
    PersonAdmitted {
        /// The person.
        name: Name,
        /// As what.
        role: PersonRole,
        /// SHA-256 of the public key.
        key: Sha256Digest,
    },
    /// A person may call no longer.
    PersonDismissed {
        /// The person.
        name: Name,
    },
}

impl LogEvent {
    /// Whether a reader of the round's report must be able to read the entry: it is about the round, a version of
    /// the study's protocol, an answer that whoever amended it could know, or a dispatch of its model.
    #[must_use]
    pub fn concerns(&self, study: &StudyId, round: &RoundId, model: &ModelDigest) -> bool {
        match self {
            Self::ProtocolLocked { study: own, .. } => own == study,
            Self::Dispatched { model: sent, .. } => sent == model,
            Self::ResultRecorded { round: own, .. } => own.is_of(study),
            Self::RoundClosed { round: own }
            | Self::ReportBuilt { round: own, .. }
            | Self::ReportSigned { round: own, .. } => own == round,
            Self::SiteEnrolled { .. }
            | Self::SiteRevoked { .. }
            | Self::PersonAdmitted { .. }
            | Self::PersonDismissed { .. } => false,
        }
    }
}

/// How often `model` was dispatched to each site of `round` before it was in that round.
#[must_use]
pub fn earlier_dispatches<'e>(
    events: impl IntoIterator<Item = &'e LogEvent>,
    round: &RoundId,
    model: ModelDigest,
) -> BTreeMap<SiteId, u64> {
    let mut before: BTreeMap<&SiteId, u64> = BTreeMap::new();
    let mut earlier = BTreeMap::new();
    for event in events {
        let LogEvent::Dispatched { site, round: own, model: sent, .. } = event else { continue };
        if *sent != model {
            continue;
        }
        let count = before.entry(site).or_insert(0);
        if own == round {
            earlier.entry(site.clone()).or_insert(*count);
        }
        *count += 1;
    }
    earlier
}

/// The versions of a study's protocol in the order in which `entries` have them, up to the one in force.
#[must_use]
pub fn protocol_records<'e>(
    entries: impl IntoIterator<Item = &'e LogEntry>,
    study: &StudyId,
    in_force: ProtocolDigest,
) -> Vec<ProtocolRecord> {
    let mut records: Vec<ProtocolRecord> = Vec::new();
    let mut results = 0;
    for LogEntry { at_ms, event } in entries {
        match event {
            LogEvent::ResultRecorded { round, .. } if round.is_of(study) => results += 1,
            LogEvent::ProtocolLocked { study: own, protocol, .. } if own == study => {
                records.push(ProtocolRecord {
                    protocol: *protocol,
                    locked_at_ms: *at_ms,
                    results_before: results,
                });
                if *protocol == in_force {
                    break;
                }
            }
            _ => {}
        }
    }
    records
}

/// The state of a log after so many entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogCheckpoint {
    /// Which log: the fingerprint of its consortium's root certificate.
    pub log: Sha256Digest,
    /// Entries.
    #[serde(serialize_with = "exact_u64")]
    pub entries: u64,
    /// Root of the Merkle tree over them (RFC 6962, section 2.1).
    pub root: Sha256Digest,
}
