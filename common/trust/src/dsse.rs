//! Signatures over typed payloads, by DSSE's pre-authentication encoding (DSSE v1, secure-systems-lab).

use crate::key::{PublicKey, SecretKey, Signature};

/// What kind of document a signature speaks of. It is part of what is signed, so that no document
/// passes for one of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadType {
    /// A locked study protocol.
    Protocol,
    /// The dispatch of a study to one site.
    Dispatch,
    /// A site's disclosure policy.
    Policy,
    /// A site result.
    SiteResult,
    /// The coordinator's record of a round.
    Round,
    /// A report.
    Report,
    /// An in-toto statement about the files of an evidence package.
    Statement,
    /// A site's statement about its ledger.
    LedgerMark,
    /// The state of the coordinator's log.
    LogCheckpoint,
    /// A person's signature under a report.
    ElectronicSignature,
}

impl PayloadType {
    /// The type as it is signed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protocol => "application/vnd.fedval.protocol.v1+json",
            Self::Dispatch => "application/vnd.fedval.dispatch.v1+json",
            Self::Policy => "application/vnd.fedval.policy.v1+toml",
            Self::SiteResult => "application/vnd.fedval.site-result.v1+json",
            Self::Round => "application/vnd.fedval.round.v1+json",
            Self::Report => "application/vnd.fedval.report.v1+json",
            Self::Statement => "application/vnd.in-toto+json",
            Self::LedgerMark => "application/vnd.fedval.ledger-mark.v1+json",
            Self::ElectronicSignature => "application/vnd.fedval.electronic-signature.v1+json",
            Self::LogCheckpoint => "application/vnd.fedval.log-checkpoint.v1+json",
        }
    }
}

/// What stands before a payload of so many bytes in the encoding that is signed:
/// `DSSEv1 SP LEN(type) SP type SP LEN(payload) SP payload`. A payload may be large, and is not copied behind it.
fn pre_authentication(payload_type: PayloadType, length: usize) -> String {
    let kind = payload_type.as_str();
    format!("DSSEv1 {} {kind} {length} ", kind.len())
}

/// Signs `payload` as a document of the given type.
#[must_use]
pub fn sign(key: &SecretKey, payload_type: PayloadType, payload: &[u8]) -> Signature {
    key.sign(&[pre_authentication(payload_type, payload.len()).as_bytes(), payload])
}

/// Whether `signature` is `key`'s over `payload` as a document of the given type.
#[must_use]
pub fn verifies(
    key: PublicKey,
    payload_type: PayloadType,
    payload: &[u8],
    signature: &Signature,
) -> bool {
    key.verifies(&[pre_authentication(payload_type, payload.len()).as_bytes(), payload], signature)
}

#[cfg(test)]
mod tests {
    use fedval_ambient::SeededEntropy;

    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        let before = pre_authentication(PayloadType::Round, b"hello".len());
        let encoded = b"DSSEv1 36 application/vnd.fedval.round.v1+json 5 hello";
        assert_eq!([before.as_bytes(), b"hello"].concat(), encoded);
        let key = SecretKey::generate(&SeededEntropy::new(1));
        assert_eq!(sign(&key, PayloadType::Round, b"hello"), key.sign(&[encoded]));
    }

    #[test]
    fn a_signature_holds_for_one_type_one_payload_and_one_key() {
        let entropy = SeededEntropy::new(1);
        let (key, other) = (SecretKey::generate(&entropy), SecretKey::generate(&entropy));
        let signature = sign(&key, PayloadType::SiteResult, b"{}");
        assert!(verifies(key.public(), PayloadType::SiteResult, b"{}", &signature));
        assert!(!verifies(key.public(), PayloadType::Report, b"{}", &signature));
        assert!(!verifies(key.public(), PayloadType::SiteResult, b"{ }", &signature));
        assert!(!verifies(other.public(), PayloadType::SiteResult, b"{}", &signature));
    }
}
