//! Signatures of a site's statement about its ledger.

use fedval_study::{Canonical, LedgerMark};

use crate::dsse::{self, PayloadType};
use crate::{PublicKey, SecretKey, Signature};

/// Signs a mark; `None` for a number that no ledger reaches.
#[must_use]
pub fn sign(key: &SecretKey, mark: &LedgerMark) -> Option<Signature> {
    let canonical = Canonical::new(mark.clone()).ok()?;
    Some(dsse::sign(key, PayloadType::LedgerMark, canonical.bytes()))
}

/// Whether `signature` is `key`'s over a mark.
#[must_use]
pub fn verifies(key: PublicKey, mark: &LedgerMark, signature: &Signature) -> bool {
    Canonical::new(mark.clone()).is_ok_and(|canonical| {
        dsse::verifies(key, PayloadType::LedgerMark, canonical.bytes(), signature)
    })
}
