//! A protocol in the form that is signed and executed.

use super::{PROTOCOL_SCHEMA, StudyProtocol};
use crate::canonical::{Canonical, CanonicalError};
use crate::digest::ProtocolDigest;

/// Bytes are not a locked protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The document is not a canonical protocol.
    #[error("not a protocol in canonical form")]
    NotAProtocol(#[source] CanonicalError),
    /// The document is of another schema.
    #[error("the protocol is of a schema that this version does not know")]
    UnknownSchema,
    /// The document breaks a rule of the protocol language.
    #[error("the protocol breaks a rule: {0}")]
    BreaksRule(String),
}

/// A protocol with its canonical bytes and digest; its rules were checked.
#[derive(Debug, Clone, PartialEq)]
pub struct LockedProtocol(Canonical<StudyProtocol>);

impl LockedProtocol {
    /// Locks a protocol.
    ///
    /// # Errors
    ///
    /// [`LockError`] if the protocol breaks a rule or holds a number that is not finite.
    pub fn new(protocol: StudyProtocol) -> Result<Self, LockError> {
        // Read again, as every receiver will: JSON writes what is not finite as null.
        let canonical = Canonical::new(protocol).map_err(LockError::NotAProtocol)?;
        Self::parse(canonical.bytes())
    }

    /// Reads a locked protocol from its canonical bytes.
    ///
    /// # Errors
    ///
    /// [`LockError`] if the bytes are not canonical or the protocol breaks a rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, LockError> {
        Canonical::parse(bytes).map_err(LockError::NotAProtocol).and_then(Self::checked)
    }

    fn checked(canonical: Canonical<StudyProtocol>) -> Result<Self, LockError> {
        if canonical.value().schema != PROTOCOL_SCHEMA {
            return Err(LockError::UnknownSchema);
        }
        match crate::draft::rules::broken(canonical.value()).into_iter().next() {
            Some(broken) => Err(LockError::BreaksRule(format!("{}: {}", broken.path, broken.what))),
            None => Ok(Self(canonical)),
        }
    }

    /// The protocol.
    #[must_use]
    pub const fn protocol(&self) -> &StudyProtocol {
        self.0.value()
    }

    /// The bytes that are signed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// SHA-256 of the bytes.
    #[must_use]
    pub fn digest(&self) -> ProtocolDigest {
        ProtocolDigest(self.0.digest())
    }
}
