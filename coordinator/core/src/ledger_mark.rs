//! Keeping and showing each site's own statement about its ledger.
//!
//! The coordinator is no authority on it: it holds what the site signed, so that a site whose machine
//! was restored from a backup hears how much it forgot. It signs what it shows as well: the site keeps that, and knows
//! when the coordinator goes back.

use fedval_study::{LedgerMark, SiteId};
use fedval_trust::{Certificate, Endorsement, Signature, ledger_mark};

use crate::port::LedgerMarkRow;
use crate::{Coordinator, StoreError};

/// What became of a mark that came with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKept {
    /// It stands.
    Kept,
    /// The site signed a larger one before: its ledger was rolled back or told anew. The larger one stands.
    Smaller,
    /// The site did not sign it.
    Foreign,
}

impl Coordinator {
    /// Keeps a mark that came with an answer. One that the site did not sign is ignored: it protects
    /// nobody but the site itself.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    pub async fn ledger_mark_keep(
        &self,
        mark: LedgerMark,
        signature: Signature,
    ) -> Result<MarkKept, StoreError> {
        let site = mark.site.clone();
        let row = self.store.site_find(&site).await?;
        let certificate = row.and_then(|row| row.certificate);
        let certificate = certificate.and_then(|pem| Certificate::from_pem(&pem).ok());
        let is_own = certificate.is_some_and(|certificate| {
            ledger_mark::verifies(certificate.public_key(), &mark, &signature)
        });
        if !is_own {
            tracing::warn!(%site, "a mark of its ledger that it did not sign was ignored");
            return Ok(MarkKept::Foreign);
        }
        let known = self.store.ledger_mark_find(&site).await?.map(|row| row.mark.entries);
        if let Some(known) = known.filter(|known| mark.entries < *known) {
            let entries = mark.entries;
            tracing::error!(%site, entries, known, "a site's ledger is smaller than it signed before");
            return Ok(MarkKept::Smaller);
        }
        self.store.ledger_mark_put(&LedgerMarkRow { mark, signature }).await?;
        Ok(MarkKept::Kept)
    }

    /// The largest mark of a site, with the coordinator's signature beside the site's.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    pub async fn ledger_mark_of(
        &self,
        site: &SiteId,
    ) -> Result<Option<(LedgerMarkRow, Endorsement)>, StoreError> {
        let Some(row) = self.store.ledger_mark_find(site).await? else { return Ok(None) };
        let identity = &self.identity;
        Ok(ledger_mark::sign(&identity.signing_key, &row.mark).map(|signature| {
            let certificate = identity.signing_certificate.to_pem();
            (row, Endorsement { certificate, signature })
        }))
    }
}
