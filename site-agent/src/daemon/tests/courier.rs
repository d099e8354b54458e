//! The way to a coordinator that says whatever a test puts into its mouth.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use fedval_disclosure::Releasable;
use fedval_egress::{EgressError, LogExtension};
use fedval_study::{
    LedgerMark, LogCheckpoint, MerkleTree, ResultDigest, Sha256Digest, SiteResult, leaf_hash,
};
use fedval_trust::{Endorsement, SecretKey, log_checkpoint};

use super::Party;
use crate::daemon::Link;

/// What is told of the log.
#[derive(Debug)]
struct Told {
    entries: Vec<String>,
    signer: Party,
}

/// Carries artifacts and a log.
#[derive(Debug)]
pub(super) struct Courier {
    log: Sha256Digest,
    artifacts: Mutex<BTreeMap<Sha256Digest, Vec<u8>>>,
    told: Mutex<Option<Told>>,
    cosigned: Mutex<Vec<LogCheckpoint>>,
}

impl Courier {
    pub(super) fn new(log: Sha256Digest) -> Self {
        let (artifacts, told, cosigned) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { log, artifacts, told, cosigned }
    }

    /// Has bytes ready for whoever asks for the digest, whether it is theirs or not.
    pub(super) fn bring(&self, digest: Sha256Digest, bytes: &[u8]) {
        self.artifacts.lock().unwrap().insert(digest, bytes.to_vec());
    }

    /// Tells a log of these entries, signed by `signer`.
    pub(super) fn tell(&self, entries: &[&str], signer: &Party) {
        let entries = entries.iter().map(|entry| (*entry).to_owned()).collect();
        *self.told.lock().unwrap() = Some(Told { entries, signer: signer.clone() });
    }

    /// The states that the site signed.
    pub(super) fn cosigned(&self) -> Vec<u64> {
        self.cosigned.lock().unwrap().iter().map(|checkpoint| checkpoint.entries).collect()
    }
}

#[async_trait]
impl Link for Courier {
    /// Without looking at the bytes: that they are the right ones is the real connection's to see.
    async fn download(
        &self,
        digest: &Sha256Digest,
        _bytes: u64,
        file: &Path,
    ) -> Result<(), EgressError> {
        let found = self.artifacts.lock().unwrap().get(digest).cloned();
        fs::write(file, found.ok_or(EgressError::Silent)?).map_err(EgressError::Disk)
    }

    async fn submit(
        &self,
        _result: &Releasable<SiteResult>,
        _key: &SecretKey,
        _lease_epoch: u64,
        _ledger: &LedgerMark,
    ) -> Result<ResultDigest, EgressError> {
        Err(EgressError::Silent)
    }

    async fn log_extend(&self, from: u64) -> Result<LogExtension, EgressError> {
        let told = self.told.lock().unwrap();
        let Told { entries, signer: (key, certificate) } =
            told.as_ref().ok_or(EgressError::Silent)?;
        let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect();
        let mut tree = MerkleTree::default();
        tree.extend(leaves.iter().copied());
        let (entries, root) = (tree.leaves(), tree.root());
        let signature = log_checkpoint::sign(key, LogCheckpoint { log: self.log, entries, root });
        let endorsement =
            Endorsement { certificate: certificate.to_pem(), signature: signature.unwrap() };
        let from = usize::try_from(from).unwrap();
        Ok(LogExtension {
            entries,
            root,
            endorsement,
            leaves: leaves.into_iter().skip(from).collect(),
        })
    }

    async fn log_cosign(
        &self,
        checkpoint: LogCheckpoint,
        _key: &SecretKey,
    ) -> Result<(), EgressError> {
        self.cosigned.lock().unwrap().push(checkpoint);
        Ok(())
    }
}
