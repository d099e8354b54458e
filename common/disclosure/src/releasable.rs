//! What may be sent: minted from the ledger and from nowhere else.

use std::error::Error;
use std::future::Future;

use fedval_study::{Canonical, CanonicalError, ResultDigest, RoundId, SiteResult};

/// An entry that the ledger holds durably: approved, charged, and about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The approved bytes.
    pub bytes: Vec<u8>,
    /// Their digest at approval.
    pub digest: ResultDigest,
}

/// The site's ledger, as the gate sees it. The vault is its only implementation.
pub trait Ledger {
    /// Why the ledger cannot answer.
    type Error: Error + Send + Sync + 'static;

    /// The committed entry of a round, from storage that has verified its own chain.
    fn committed(
        &self,
        round: &RoundId,
    ) -> impl Future<Output = Result<Option<Committed>, Self::Error>> + Send;
}

/// The ledger does not yield a value that may be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError<E: Error + 'static> {
    /// The ledger cannot be read or is broken.
    #[error("the ledger cannot be trusted")]
    Ledger(#[source] E),
    /// The stored bytes are not the approved ones.
    #[error("the bytes in the ledger are not the bytes that were approved")]
    NotWhatWasApproved,
    /// The stored bytes are no site result.
    #[error("the bytes in the ledger are not a site result")]
    NotAResult(#[source] CanonicalError),
}

/// A result that may leave the site.
///
/// Its field is private; it has no `Default`, `From`, `Deserialize` or `Clone`. What was approved,
/// charged to the ledger and made durable is what goes.
#[derive(Debug, PartialEq)]
pub struct Releasable<T> {
    value: Canonical<T>,
}

impl Releasable<SiteResult> {
    /// Mints the result of `round` from the ledger; `None` where nothing was committed.
    ///
    /// The same path serves the moment after approval and every restart after it.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if the ledger is broken or its bytes are not what was approved.
    pub async fn from_ledger<L: Ledger>(
        ledger: &L,
        round: &RoundId,
    ) -> Result<Option<Self>, ReleaseError<L::Error>> {
        let Some(entry) = ledger.committed(round).await.map_err(ReleaseError::Ledger)? else {
            return Ok(None);
        };
        let value: Canonical<SiteResult> =
            Canonical::parse(&entry.bytes).map_err(ReleaseError::NotAResult)?;
        if ResultDigest(value.digest()) != entry.digest || value.value().header.round != *round {
            return Err(ReleaseError::NotWhatWasApproved);
        }
        Ok(Some(Self { value }))
    }
}

impl<T> Releasable<T> {
    /// The value to send.
    #[must_use]
    pub const fn value(&self) -> &T {
        self.value.value()
    }

    /// The bytes that are signed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.value.bytes()
    }
}
