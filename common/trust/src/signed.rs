//! A document with its signatures, as it stands in files: bytes beside endorsements.

use fedval_ambient::Timestamp;
use serde::{Deserialize, Serialize};

use crate::certificate::{Certificate, CertificateError, Role};
use crate::dsse::{self, PayloadType};
use crate::key::{PublicKey, SecretKey, Signature};

/// One party's signature with the certificate that proves its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endorsement {
    /// The signer's certificate, in PEM.
    pub certificate: String,
    /// Over the document, by DSSE.
    pub signature: Signature,
}

/// A document and who endorses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedDocument {
    /// What kind of document it is.
    pub payload_type: PayloadType,
    /// The exact bytes that are signed.
    pub bytes: Vec<u8>,
    /// Signatures, in any order.
    pub endorsements: Vec<Endorsement>,
}

/// A document is not endorsed by whom it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureProblem {
    /// No endorsement is by the expected party.
    #[error("there is no signature by the expected party")]
    NotSigned,
    /// The signature does not hold over these bytes.
    #[error("the signature does not hold: the document or the signature was changed")]
    DoesNotHold,
    /// The signer's certificate is refused.
    #[error("the signer's certificate is refused")]
    Certificate(#[source] CertificateError),
}

impl SignedDocument {
    /// Signs `bytes`.
    #[must_use]
    pub fn sign(
        payload_type: PayloadType,
        bytes: Vec<u8>,
        key: &SecretKey,
        certificate: &Certificate,
    ) -> Self {
        let mut document = Self { payload_type, bytes, endorsements: Vec::new() };
        document.endorse(key, certificate);
        document
    }

    /// Adds a signature.
    pub fn endorse(&mut self, key: &SecretKey, certificate: &Certificate) {
        let signature = dsse::sign(key, self.payload_type, &self.bytes);
        self.endorsements.push(Endorsement { certificate: certificate.to_pem(), signature });
    }

    /// Checks that the party in `role`, certified by `root` at `then`, signed these bytes.
    ///
    /// # Errors
    ///
    /// [`SignatureProblem`] says what is missing or wrong.
    pub fn verify(
        &self,
        role: &Role,
        root: &Certificate,
        then: Timestamp,
    ) -> Result<(), SignatureProblem> {
        verify((self.payload_type, &self.bytes), &self.endorsements, role, root, then)
    }

    /// Checks that the holder of `key` signed these bytes, whatever became of its certificates since:
    /// for documents that never left the machine whose key it is.
    ///
    /// # Errors
    ///
    /// [`SignatureProblem`] says what is missing or wrong.
    pub fn verify_own(&self, key: PublicKey) -> Result<(), SignatureProblem> {
        let mut problem = SignatureProblem::NotSigned;
        for endorsement in &self.endorsements {
            if dsse::verifies(key, self.payload_type, &self.bytes, &endorsement.signature) {
                return Ok(());
            }
            problem = SignatureProblem::DoesNotHold;
        }
        Err(problem)
    }
}

/// Checks that the party in `role`, certified by `root` at `then`, signed these bytes as a document of this type,
/// wherever they lie.
///
/// # Errors
///
/// [`SignatureProblem`] says what is missing or wrong.
pub fn verify(
    (payload_type, bytes): (PayloadType, &[u8]),
    endorsements: &[Endorsement],
    role: &Role,
    root: &Certificate,
    then: Timestamp,
) -> Result<(), SignatureProblem> {
    let mut problem = SignatureProblem::NotSigned;
    for Endorsement { certificate, signature } in endorsements {
        let Ok(certificate) = Certificate::from_pem(certificate) else { continue };
        if certificate.role() != role {
            continue;
        }
        let holds = || dsse::verifies(certificate.public_key(), payload_type, bytes, signature);
        problem = match certificate.verify(root, then) {
            Err(error) => SignatureProblem::Certificate(error),
            Ok(()) if holds() => return Ok(()),
            Ok(()) => SignatureProblem::DoesNotHold,
        };
    }
    Err(problem)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes of a lower-case hexadecimal text.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2)
        || !text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
    {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}
