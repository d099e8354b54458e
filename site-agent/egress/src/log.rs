//! Following the coordinator's log.

use fedval_proto as proto;
use fedval_proto::log_service_client::LogServiceClient;
use fedval_study::{LogCheckpoint, Sha256Digest};
use fedval_trust::{Endorsement, SecretKey, log_checkpoint};

use crate::answer::within;
use crate::{Connection, EgressError};

/// Bytes of a hash.
const HASH: usize = 32;

/// How the log went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogExtension {
    /// Entries of the log.
    pub entries: u64,
    /// Root of the tree over them.
    pub root: Sha256Digest,
    /// The coordinator's signature.
    pub endorsement: Endorsement,
    /// Hashes of the leaves that follow; not always all of them.
    pub leaves: Vec<Sha256Digest>,
}

impl Connection {
    /// Asks how the log went on.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if the coordinator does not answer, or answers nonsense.
    pub async fn log_extend(&self, from: u64) -> Result<LogExtension, EgressError> {
        let mut client = LogServiceClient::new(self.channel());
        let answer = within(client.extend(proto::ExtendRequest { from })).await?.into_inner();
        let bad = || EgressError::BadAnswer;
        let endorsement = answer.endorsement.ok_or_else(bad)?;
        let endorsement = fedval_wire::endorsement_from_wire(&endorsement).map_err(|_| bad())?;
        if !answer.leaves.len().is_multiple_of(HASH) {
            return Err(bad());
        }
        let digest = |bytes: &[u8]| Sha256Digest::try_from(bytes).map_err(|_| bad());
        Ok(LogExtension {
            entries: answer.entries,
            root: digest(&answer.root)?,
            endorsement,
            leaves: answer.leaves.chunks(HASH).map(digest).collect::<Result<_, _>>()?,
        })
    }

    /// Hands in this site's signature of a state that it followed: a number and two digests.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if the coordinator does not take it.
    pub async fn log_cosign(
        &self,
        checkpoint: LogCheckpoint,
        key: &SecretKey,
    ) -> Result<(), EgressError> {
        let signature = log_checkpoint::sign(key, checkpoint).ok_or(EgressError::BadAnswer)?;
        let request = proto::CosignRequest {
            entries: checkpoint.entries,
            root: checkpoint.root.as_bytes().to_vec(),
            signature: signature.as_bytes().to_vec(),
        };
        let mut client = LogServiceClient::new(self.channel());
        within(client.cosign(request)).await.map(|_| ())
    }
}
