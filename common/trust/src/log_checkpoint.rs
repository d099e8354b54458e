//! Signatures of the state of the coordinator's log: its own, and those of sites that followed it.

use fedval_study::{Canonical, LogCheckpoint};

use crate::dsse::{self, PayloadType};
use crate::{PublicKey, SecretKey, Signature};

/// Signs a checkpoint; `None` for a number that no log reaches.
#[must_use]
pub fn sign(key: &SecretKey, checkpoint: LogCheckpoint) -> Option<Signature> {
    let canonical = Canonical::new(checkpoint).ok()?;
    Some(dsse::sign(key, PayloadType::LogCheckpoint, canonical.bytes()))
}

/// Whether `signature` is `key`'s over a checkpoint.
#[must_use]
pub fn verifies(key: PublicKey, checkpoint: LogCheckpoint, signature: &Signature) -> bool {
    Canonical::new(checkpoint).is_ok_and(|canonical| {
        dsse::verifies(key, PayloadType::LogCheckpoint, canonical.bytes(), signature)
    })
}
