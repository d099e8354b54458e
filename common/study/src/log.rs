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
    /// the study's protocol, an answer that whoever amended it could know, a dispatch of its model, or one of another
    /// model that the study tested under an earlier version.
    #[must_use]
    pub fn concerns(&self, study: &StudyId, round: &RoundId, model: &ModelDigest) -> bool {
        match self {
            Self::ProtocolLocked { study: own, .. } => own == study,
            Self::Dispatched { study: own, model: sent, .. } => own == study || sent == model,
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

/// How often models were sent to the data of a site before a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EarlierDispatches {
    /// The round's own model, in any study.
    pub of_model: u64,
    /// Any model, in any study.
    pub of_any_model: u64,
}

/// How often `model`, and any model, was dispatched to each site of `round` before it was in that round, as far as
/// `events` tell.
#[must_use]
pub fn earlier_dispatches<'e>(
    events: impl IntoIterator<Item = &'e LogEvent>,
    round: &RoundId,
    model: ModelDigest,
) -> BTreeMap<SiteId, EarlierDispatches> {
    let mut before: BTreeMap<&SiteId, EarlierDispatches> = BTreeMap::new();
    let mut earlier = BTreeMap::new();
    for event in events {
        let LogEvent::Dispatched { site, round: own, model: sent, .. } = event else { continue };
        let count = before.entry(site).or_default();
        if own == round {
            earlier.entry(site.clone()).or_insert(*count);
        }
        count.of_model += u64::from(*sent == model);
        count.of_any_model += 1;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Sha256Digest {
        Sha256Digest::of(text.as_bytes())
    }

    fn model(name: &str) -> ModelDigest {
        ModelDigest(digest(name))
    }

    fn dispatched(round: &str, site: &str, model_name: &str) -> LogEvent {
        let (study, _) = round.split_once("-r").unwrap();
        LogEvent::Dispatched {
            study: study.parse().unwrap(),
            round: round.parse().unwrap(),
            site: site.parse().unwrap(),
            protocol: ProtocolDigest(digest(round)),
            model: model(model_name),
        }
    }

    #[test]
    fn every_earlier_dispatch_to_a_site_counts_whatever_its_model_and_study() {
        let events = [
            dispatched("chest-r1", "here", "first"),
            dispatched("chest-r1", "there", "first"),
            dispatched("bone-r1", "here", "another"),
            dispatched("chest-r2", "here", "second"),
            dispatched("chest-r3", "here", "first"),
            dispatched("bone-r2", "there", "another"),
            dispatched("chest-r3", "there", "first"),
            dispatched("chest-r3", "new", "first"),
            dispatched("bone-r3", "new", "another"),
        ];
        let earlier = earlier_dispatches(&events, &"chest-r3".parse().unwrap(), model("first"));
        let of = |site: &str| {
            let site: SiteId = site.parse().unwrap();
            (earlier[&site].of_model, earlier[&site].of_any_model)
        };
        assert_eq!([of("here"), of("there"), of("new")], [(1, 3), (1, 2), (0, 0)]);
    }

    #[test]
    fn a_reader_sees_every_dispatch_of_the_study_and_of_its_model_and_no_other() {
        let (study, round) = ("chest".parse().unwrap(), "chest-r2".parse().unwrap());
        let concerns = |event: &LogEvent| event.concerns(&study, &round, &model("tuned"));
        assert!(concerns(&dispatched("chest-r1", "here", "before it was tuned")));
        assert!(concerns(&dispatched("bone-r1", "here", "tuned")));
        assert!(!concerns(&dispatched("bone-r1", "here", "another")));
    }
}
