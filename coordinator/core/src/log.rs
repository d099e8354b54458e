//! The transparency log: what a report rests on, in an order that nobody can change unseen.
//!
//! What is logged stands in the store already. An entry that a crash kept from being written is added
//! before a report is built, so that no report rests on anything that the log does not hold.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use fedval_ambient::{Problem, Timestamp};
use fedval_report::LogEvidence;
use fedval_study::{
    Canonical, LockedProtocol, LogCheckpoint, LogEntry, LogEvent, MerkleTree, RoundId,
    Sha256Digest, SiteId, leaf_hash,
};
use fedval_trust::{
    Certificate, Endorsement, PayloadType, Signature, SignedDocument, log_checkpoint,
};

use crate::port::{CosignatureRow, RoundRow, StoreError, StudyRow};
use crate::{Coordinator, ReportError, signing};

/// Hashes of leaves in one answer: what fits a message many times.
pub const MOST_LEAVES: usize = 10_000;

/// The tree over every entry that was seen so far. It only grows, so that nobody reads the log twice.
#[derive(Debug, Default)]
pub(crate) struct LogTree(Mutex<MerkleTree>);

impl LogTree {
    fn get(&self) -> MerkleTree {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, tree: &MerkleTree) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.leaves() < tree.leaves() {
            kept.clone_from(tree);
        }
    }
}

/// How a log went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogExtension {
    /// Where it stands.
    pub checkpoint: LogCheckpoint,
    /// The coordinator's signature of that.
    pub endorsement: Endorsement,
    /// Hashes of the leaves that follow, at most [`MOST_LEAVES`].
    pub leaves: Vec<Sha256Digest>,
}

/// A site's signature was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CosignError {
    /// It is not the site's, over a state that this log never had.
    #[error("the signature is not the site's over a state of this log")]
    NotThisLog,
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for CosignError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotThisLog => "LOG_STATE_UNKNOWN",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotThisLog => "run `fedval-agent log` to see which state it is".to_owned(),
            Self::Store(_) => "look at the log of `fedval serve`".to_owned(),
        })
    }
}

fn locking(row: &StudyRow, locked: &LockedProtocol) -> LogEvent {
    let (protocol, model) = (locked.digest(), locked.protocol().model.digest);
    LogEvent::ProtocolLocked { study: row.study.clone(), protocol, model }
}

impl Coordinator {
    /// Logs what happened just now.
    pub(crate) async fn log(&self, event: LogEvent) -> Result<(), StoreError> {
        let entry = LogEntry { at_ms: self.clock.now().unix_millis(), event };
        self.store.log_append(&[entry]).await.map(|_| ())
    }

    /// Logs what stands in the store of every study and is not in the log: a crash kept it from there, or an
    /// earlier release that had none.
    ///
    /// # Errors
    ///
    /// [`ReportError`] if the store fails or holds a damaged protocol.
    pub async fn log_settle(&self) -> Result<(), ReportError> {
        let mut entries = Vec::new();
        for study in self.store.study_list().await? {
            entries.extend(self.events_of(&study).await?);
        }
        entries.sort_by_key(|entry| entry.at_ms);
        self.store.log_append(&entries).await?;
        Ok(())
    }

    /// The same for one study.
    pub(crate) async fn log_settle_study(&self, study: &StudyRow) -> Result<(), ReportError> {
        let entries = self.events_of(study).await?;
        self.store.log_append(&entries).await?;
        Ok(())
    }

    /// Logs the locking of every version of a study's protocol that a crash kept from the log, before anything
    /// happens under it or takes its place.
    pub(crate) async fn log_versions(&self, row: &StudyRow) -> Result<(), StoreError> {
        let at_ms = self.clock.now().unix_millis();
        let mut entries = Vec::new();
        for version in &row.locked {
            let locked = LockedProtocol::parse(&version.protocol)
                .map_err(StoreError::during("log_versions"))?;
            entries.push(LogEntry { at_ms, event: locking(row, &locked) });
        }
        self.store.log_append(&entries).await.map(|_| ())
    }

    /// What was done under each version of a study's protocol, in order of versions.
    async fn events_of(&self, row: &StudyRow) -> Result<Vec<LogEntry>, ReportError> {
        let rounds = self.store.round_list(&row.study).await?;
        let mut entries = Vec::new();
        for version in &row.locked {
            let locked = LockedProtocol::parse(&version.protocol)?;
            let mut under = Vec::new();
            for round in rounds.iter().filter(|r| r.protocol_version == version.version) {
                under.extend(self.events_of_round(&locked, round).await?);
            }
            // When it was locked stands nowhere else: before its first dispatch.
            let first = under.iter().map(|entry: &LogEntry| entry.at_ms).min();
            let at_ms = first.unwrap_or_else(|| self.clock.now().unix_millis());
            entries.push(LogEntry { at_ms, event: locking(row, &locked) });
            entries.extend(under);
        }
        Ok(entries)
    }

    async fn events_of_round(
        &self,
        locked: &LockedProtocol,
        row: &RoundRow,
    ) -> Result<Vec<LogEntry>, ReportError> {
        let (protocol, model) = (locked.digest(), locked.protocol().model.digest);
        let at = |at: Timestamp, event| LogEntry { at_ms: at.unix_millis(), event };
        let (study, round) = (&row.study, &row.round);
        let mut entries = Vec::new();
        for dispatch in self.store.dispatch_list(round).await? {
            let (study, round, site) = (study.clone(), round.clone(), dispatch.site);
            let event = LogEvent::Dispatched { study, round, site, protocol, model };
            entries.push(at(dispatch.dispatched_at, event));
        }
        for result in self.store.result_list(round).await? {
            let (round, site, result_digest) = (round.clone(), result.site, result.digest);
            let event = LogEvent::ResultRecorded { round, site, result: result_digest };
            entries.push(at(result.recorded_at, event));
        }
        entries.extend(self.store.signature_list(round).await?.iter().map(signing::logged));
        if let Some(closed_at) = row.closed_at {
            entries.push(at(closed_at, LogEvent::RoundClosed { round: round.clone() }));
        }
        Ok(entries)
    }

    /// Where the log stands, and how it went on from `from` entries.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    pub async fn log_extend(&self, from: u64) -> Result<LogExtension, StoreError> {
        let mut tree = self.log_tree.get();
        let seen = tree.leaves();
        let entries = self.store.log_list(seen.min(from)).await?;
        let hashes: Vec<Sha256Digest> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let place = |leaves: u64| usize::try_from(leaves - seen.min(from)).unwrap_or(usize::MAX);
        tree.extend(hashes.iter().skip(place(seen)).copied());
        self.log_tree.keep(&tree);
        let checkpoint = self.checkpoint_of(&tree);
        let leaves = hashes.into_iter().skip(place(from)).take(MOST_LEAVES).collect();
        Ok(LogExtension { checkpoint, endorsement: self.sign_checkpoint(checkpoint), leaves })
    }

    /// Keeps a site's signature of a state that it followed.
    ///
    /// # Errors
    ///
    /// See [`CosignError`].
    pub async fn log_cosign(
        &self,
        site: &SiteId,
        checkpoint: LogCheckpoint,
        signature: Signature,
    ) -> Result<(), CosignError> {
        let row = self.store.site_find(site).await?;
        let pem = row.and_then(|row| row.certificate).ok_or(CosignError::NotThisLog)?;
        let certificate = Certificate::from_pem(&pem).map_err(|_| CosignError::NotThisLog)?;
        let is_own = log_checkpoint::verifies(certificate.public_key(), checkpoint, &signature);
        if !is_own || !self.was_state(checkpoint).await? {
            return Err(CosignError::NotThisLog);
        }
        let endorsement = Endorsement { certificate: pem, signature };
        let row = CosignatureRow { site: site.clone(), checkpoint, endorsement };
        Ok(self.store.cosignature_put(&row).await?)
    }

    async fn was_state(&self, checkpoint: LogCheckpoint) -> Result<bool, StoreError> {
        let mut tree = self.log_tree.get();
        if tree.leaves() != checkpoint.entries {
            let entries = self.store.log_list(0).await?;
            let until = usize::try_from(checkpoint.entries).unwrap_or(usize::MAX);
            tree = MerkleTree::default();
            tree.extend(entries.iter().take(until).map(|entry| leaf_hash(entry)));
        }
        Ok(self.checkpoint_of(&tree) == checkpoint)
    }

    fn checkpoint_of(&self, tree: &MerkleTree) -> LogCheckpoint {
        let log = self.root().fingerprint().0;
        LogCheckpoint { log, entries: tree.leaves(), root: tree.root() }
    }

    fn sign_checkpoint(&self, checkpoint: LogCheckpoint) -> Endorsement {
        let identity = &self.identity;
        let signature = log_checkpoint::sign(&identity.signing_key, checkpoint)
            .expect("no log reaches 2^53 entries");
        Endorsement { certificate: identity.signing_certificate.to_pem(), signature }
    }

    /// Every entry, in order.
    pub(crate) async fn log_entries(&self) -> Result<Vec<LogEntry>, ReportError> {
        let entries = self.store.log_list(0).await?;
        let read = |bytes: &Vec<u8>| Canonical::parse(bytes).map(Canonical::into_value);
        Ok(entries.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// The log as a package holds it: readable where it concerns the round, as hashes elsewhere.
    pub(crate) async fn log_evidence(
        &self,
        round: &RoundId,
        locked: &LockedProtocol,
    ) -> Result<LogEvidence, ReportError> {
        let entries = self.store.log_list(0).await?;
        let mut tree = MerkleTree::default();
        let mut states = vec![tree.root()];
        for entry in &entries {
            tree.push(leaf_hash(entry));
            states.push(tree.root());
        }
        let checkpoint = self.checkpoint_of(&tree);
        let dispatched = self.store.dispatch_list(round).await?;
        let asked: BTreeSet<SiteId> = dispatched.into_iter().map(|row| row.site).collect();
        let cosignatures = self.store.cosignature_list().await?.into_iter().filter(|row| {
            let at = usize::try_from(row.checkpoint.entries).unwrap_or(usize::MAX);
            // A site that followed what was lost since with an older backup signed another log.
            let is_of_this = row.checkpoint.log == checkpoint.log;
            // Readers of one study need not know who else belongs to the consortium.
            asked.contains(&row.site) && is_of_this && states.get(at) == Some(&row.checkpoint.root)
        });
        let (study, model) = (&locked.protocol().id, locked.protocol().model.digest);
        let is_readable = |bytes: &[u8]| {
            Canonical::<LogEntry>::parse(bytes)
                .is_ok_and(|entry| entry.value().event.concerns(study, round, &model))
        };
        Ok(LogEvidence {
            lines: LogEvidence::lines(&entries, is_readable),
            checkpoint: SignedDocument {
                payload_type: PayloadType::LogCheckpoint,
                bytes: Canonical::new(checkpoint)?.into_bytes(),
                endorsements: vec![self.sign_checkpoint(checkpoint)],
            },
            cosignatures: cosignatures
                .map(|row| fedval_report::Cosignature {
                    site: row.site,
                    checkpoint: row.checkpoint,
                    endorsement: row.endorsement,
                })
                .collect(),
        })
    }
}
