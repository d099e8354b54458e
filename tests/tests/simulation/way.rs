//! A site's way to the coordinator, on which calls and answers are lost or doubled. Results cross
//! the wire's own types.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fedval_agent::daemon::Link;
use fedval_ambient::Problem;
use fedval_core::Coordinator;
use fedval_disclosure::Releasable;
use fedval_egress::{EgressError, LogExtension};
use fedval_study::{LedgerMark, LogCheckpoint, ResultDigest, Sha256Digest, SiteId, SiteResult};
use fedval_trust::{PayloadType, SecretKey, dsse, log_checkpoint};
use fedval_vault::Vault;

/// What happens to the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    LoseRequest,
    LoseResponse,
    Repeat,
}

/// Faults that wait for a site's next calls.
pub(crate) type Faults = Arc<Mutex<VecDeque<Fault>>>;

/// The way.
#[derive(Debug)]
pub(crate) struct FaultyWay {
    pub(crate) coordinator: Coordinator,
    pub(crate) site: SiteId,
    pub(crate) faults: Faults,
    /// What the coordinator acknowledged to this site, at any time.
    pub(crate) acknowledged: Arc<Mutex<Vec<ResultDigest>>>,
    pub(crate) vault: Vault,
}

fn refused(problem: &impl Problem) -> EgressError {
    EgressError::Refused {
        code: problem.code().to_owned(),
        message: problem.to_string(),
        remedy: problem.remedy(),
        is_passing: matches!(problem.code(), "STORE_UNAVAILABLE" | "STALE_LEASE"),
    }
}

impl FaultyWay {
    fn fault(&self) -> Option<Fault> {
        self.faults.lock().unwrap().pop_front()
    }

    /// As the server does it: from the wire's types back to the domain's.
    async fn arrive(
        &self,
        result: &Releasable<SiteResult>,
        key: &SecretKey,
        lease_epoch: u64,
    ) -> Result<ResultDigest, EgressError> {
        let sent = fedval_wire::site_result_to_wire(result.value());
        let arrived = fedval_wire::site_result_from_wire(sent).expect("it survives the wire");
        let signature = dsse::sign(key, PayloadType::SiteResult, result.bytes());
        let accepted =
            self.coordinator.result_submit(&self.site, arrived, signature, lease_epoch).await;
        accepted.map(|accepted| accepted.digest).map_err(|error| refused(&error))
    }
}

#[async_trait]
impl Link for FaultyWay {
    async fn download(
        &self,
        digest: &Sha256Digest,
        bytes: u64,
        file: &Path,
    ) -> Result<(), EgressError> {
        let fault = self.fault();
        if fault.is_some_and(|fault| fault != Fault::Repeat) {
            return Err(EgressError::Silent);
        }
        let data = self.coordinator.artifacts().artifact_read(digest, 0, bytes).await;
        let data = data.map_err(|error| refused(&error))?;
        std::fs::write(file, data).map_err(EgressError::Disk)
    }

    async fn submit(
        &self,
        result: &Releasable<SiteResult>,
        key: &SecretKey,
        lease_epoch: u64,
        _ledger: &LedgerMark,
    ) -> Result<ResultDigest, EgressError> {
        let round = &result.value().header.round;
        let charged = self.vault.ledger_find(round).await.unwrap();
        assert!(charged.is_some(), "P3: bytes leave before the ledger was charged");
        let fault = self.fault();
        if fault == Some(Fault::LoseRequest) {
            return Err(EgressError::Silent);
        }
        let answer = self.arrive(result, key, lease_epoch).await;
        let answer = match fault {
            Some(Fault::Repeat) => self.arrive(result, key, lease_epoch).await,
            _ => answer,
        };
        if fault == Some(Fault::LoseResponse) {
            return Err(EgressError::Silent);
        }
        if let Ok(digest) = &answer {
            self.acknowledged.lock().unwrap().push(*digest);
        }
        answer
    }

    async fn log_extend(&self, from: u64) -> Result<LogExtension, EgressError> {
        let went_on = self.coordinator.log_extend(from).await.map_err(|error| refused(&error))?;
        Ok(LogExtension {
            entries: went_on.checkpoint.entries,
            root: went_on.checkpoint.root,
            endorsement: went_on.endorsement,
            leaves: went_on.leaves,
        })
    }

    async fn log_cosign(
        &self,
        checkpoint: LogCheckpoint,
        key: &SecretKey,
    ) -> Result<(), EgressError> {
        let signature = log_checkpoint::sign(key, checkpoint).expect("a short log");
        let kept = self.coordinator.log_cosign(&self.site, checkpoint, signature).await;
        kept.map_err(|error| refused(&error))
    }
}
