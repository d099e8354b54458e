//! The log of a round, and what a coordinator could make of it.

use fedval_report::{Cosignature, LogEvidence};
use fedval_study::{
    Canonical, LogCheckpoint, LogEntry, LogEvent, MerkleTree, ProtocolRecord, RoundRecord,
    Sha256Digest, SiteId, leaf_hash,
};
use fedval_trust::{Endorsement, PayloadType, Role, SecretKey, log_checkpoint};

use super::Consortium;

/// When the entry at `place` was logged: the first an hour before the round was opened.
pub(crate) const fn logged_at(opened_at_ms: i64, place: i64) -> i64 {
    opened_at_ms - 3_600_000 + place
}

/// What happened, in order: another study's protocol first.
pub(crate) fn events(record: &RoundRecord, report: Sha256Digest) -> Vec<LogEvent> {
    let RoundRecord { study, round, protocol, protocols, model, .. } = record;
    let (protocol, model) = (*protocol, *model);
    let mut other = protocol;
    other.0 = Sha256Digest::of(b"another protocol");
    let mut other_model = model;
    other_model.0 = Sha256Digest::of(b"another model");
    let other_study = "another-study".parse().unwrap();
    let mut events =
        vec![LogEvent::ProtocolLocked { study: other_study, protocol: other, model: other_model }];
    let locked = |version: &ProtocolRecord| LogEvent::ProtocolLocked {
        study: study.clone(),
        protocol: version.protocol,
        model,
    };
    events.extend(protocols.iter().map(locked));
    for site in &record.sites {
        let (study, round, site) = (study.clone(), round.clone(), site.site.clone());
        events.push(LogEvent::Dispatched { study, round, site, protocol, model });
    }
    for site in &record.sites {
        let (round, id) = (round.clone(), site.site.clone());
        let recorded = |result| LogEvent::ResultRecorded { round, site: id, result };
        events.extend(site.result.map(recorded));
    }
    events.push(LogEvent::RoundClosed { round: round.clone() });
    events.push(LogEvent::ReportBuilt { round: round.clone(), report });
    events
}

impl Consortium {
    /// The log of these events, as the coordinator signs it, and as two sites do: one followed it to its end,
    /// one up to its fourth entry.
    pub(crate) fn log(&self, record: &RoundRecord, events: &[LogEvent]) -> LogEvidence {
        let entries: Vec<Vec<u8>> = (0_i64..)
            .zip(events)
            .map(|(place, event)| {
                let at_ms = logged_at(record.opened_at_ms, place);
                Canonical::new(LogEntry { at_ms, event: event.clone() }).unwrap().into_bytes()
            })
            .collect();
        let is_readable = |bytes: &[u8]| {
            let entry = Canonical::<LogEntry>::parse(bytes).unwrap();
            entry.value().event.concerns(&record.study, &record.round, &record.model)
        };
        let state = |at: usize| {
            let mut tree = MerkleTree::default();
            tree.extend(entries.iter().take(at).map(|entry| leaf_hash(entry)));
            let log = self.authority.root().fingerprint().0;
            LogCheckpoint { log, entries: tree.leaves(), root: tree.root() }
        };
        let checkpoint = Canonical::new(state(entries.len())).unwrap();
        LogEvidence {
            lines: LogEvidence::lines(&entries, is_readable),
            checkpoint: self.by_coordinator(PayloadType::LogCheckpoint, checkpoint.bytes()),
            cosignatures: vec![
                self.cosigned("site-a", state(entries.len())),
                self.cosigned("site-b", state(4)), // before its own answer
            ],
        }
    }

    fn cosigned(&self, site: &str, checkpoint: LogCheckpoint) -> Cosignature {
        let site: SiteId = site.parse().unwrap();
        let key = SecretKey::generate(&self.entropy);
        let role = Role::Site(site.clone());
        let certificate =
            self.authority.issue(&role, &key, &[], 90, &self.clock, &self.entropy).unwrap();
        let signature = log_checkpoint::sign(&key, checkpoint).unwrap();
        let endorsement = Endorsement { certificate: certificate.to_pem(), signature };
        Cosignature { site, checkpoint, endorsement }
    }
}
