//! What people signed.

use async_trait::async_trait;
use fedval_study::{ElectronicSignature, RoundId};
use fedval_trust::Endorsement;

use super::StoreError;

/// A person's signature under a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureRow {
    /// What was signed.
    pub statement: ElectronicSignature,
    /// By the person's own key.
    pub endorsement: Endorsement,
}

/// Signatures. None is ever changed or removed.
#[async_trait]
pub trait SignatureStore: Send + Sync {
    /// Keeps a signature. `false` where the person signed this report with this meaning before: that one
    /// stands.
    async fn signature_insert(&self, row: &SignatureRow) -> Result<bool, StoreError>;

    /// Every signature under any report of a round, in order of time.
    async fn signature_list(&self, round: &RoundId) -> Result<Vec<SignatureRow>, StoreError>;
}
