//! A person's signature under a report as a package holds it.

use fedval_study::{Canonical, ElectronicSignature};
use fedval_trust::{Endorsement, PayloadType, SignedDocument};

/// What a person signed, with the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedByPerson {
    /// What was signed: its canonical bytes.
    pub statement: ElectronicSignature,
    /// By the person's own key.
    pub endorsement: Endorsement,
}

impl SignedByPerson {
    /// The order in which signatures stand, whatever order they came in.
    pub(crate) fn order(mut signatures: Vec<Self>) -> Vec<Self> {
        signatures.sort_by_key(|signed| place(&signed.statement));
        signatures
    }

    /// The signed bytes with their signature.
    ///
    /// # Panics
    ///
    /// Never: everything that a statement holds has a canonical form.
    #[must_use]
    pub fn document(&self) -> SignedDocument {
        SignedDocument {
            payload_type: PayloadType::ElectronicSignature,
            bytes: Canonical::new(self.statement.clone())
                .expect("identifiers, texts and a moment, which JSON carries exactly")
                .into_bytes(),
            endorsements: vec![self.endorsement.clone()],
        }
    }
}

/// By time; signatures of one moment by person and meaning.
pub(crate) fn place(statement: &ElectronicSignature) -> impl Ord + use<> {
    (statement.signed_at_ms, statement.signer.clone(), statement.meaning)
}
