//! The single-use token with which a site enrols.

use std::fmt;
use std::str::FromStr;

use fedval_ambient::{Entropy, Problem};
use fedval_study::Sha256Digest;

use crate::certificate::Fingerprint;

/// Marks the token's form and version.
const PREFIX: &str = "fv1";

/// Names an invitation without opening it: the public part of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InvitationId([u8; 8]);

impl InvitationId {
    /// The id of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

/// 256 secret bits with the root's fingerprint, so that whoever was given the token cannot be led
/// to another coordinator, and with the invitation's name, so that wrong tries are counted against it.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteToken {
    id: InvitationId,
    secret: [u8; 32],
    root: Fingerprint,
}

/// A text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an invitation token")]
pub struct TokenError;

impl Problem for TokenError {
    fn code(&self) -> &'static str {
        "TOKEN_MALFORMED"
    }

    fn remedy(&self) -> Option<String> {
        Some("copy the whole token, from `fv1-` on, as `fedval site invite` printed it".to_owned())
    }
}

impl InviteToken {
    /// Makes a token for the consortium whose root has this fingerprint.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy, root: Fingerprint) -> Self {
        let name = entropy.bytes32();
        let mut id = [0; 8];
        id.copy_from_slice(&name[..8]);
        Self { id: InvitationId(id), secret: entropy.bytes32(), root }
    }

    /// The token of a name and a secret that the coordinator made.
    #[must_use]
    pub const fn from_parts(id: InvitationId, secret: [u8; 32], root: Fingerprint) -> Self {
        Self { id, secret, root }
    }

    /// The invitation's public name.
    #[must_use]
    pub const fn id(&self) -> InvitationId {
        self.id
    }

    /// The root's fingerprint.
    #[must_use]
    pub const fn root(&self) -> Fingerprint {
        self.root
    }

    /// The secret, as it is sent once over TLS.
    #[must_use]
    pub const fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// What the coordinator stores instead of the secret. Two hashes are compared, not two secrets:
    /// how long that takes says nothing about the secret.
    #[must_use]
    pub fn hash(secret: &[u8]) -> Sha256Digest {
        Sha256Digest::of(&[b"fedval invite token ", secret].concat())
    }
}

impl fmt::Display for InviteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, secret) = (crate::signed::hex(&self.id.0), crate::signed::hex(&self.secret));
        write!(f, "{PREFIX}-{id}-{secret}-{}", self.root)
    }
}

impl fmt::Debug for InviteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteToken(..)")
    }
}

impl FromStr for InviteToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let mut parts = text.trim().split('-');
        let (Some(PREFIX), Some(id), Some(secret), Some(root), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError);
        };
        // Sixteen digits, lower case, as they were printed: `+` would be a number too.
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if id.len() != 16 || !id.chars().all(is_hex) {
            return Err(TokenError);
        }
        let id = u64::from_str_radix(id, 16).map_err(|_| TokenError)?;
        let secret: Sha256Digest = secret.parse().map_err(|_| TokenError)?;
        let root = root.parse().map_err(|_| TokenError)?;
        Ok(Self { id: InvitationId(id.to_be_bytes()), secret: *secret.as_bytes(), root })
    }
}

#[cfg(test)]
mod tests {
    use fedval_ambient::SeededEntropy;

    use super::*;

    #[test]
    fn a_token_survives_its_text_and_its_debug_says_nothing() {
        let token =
            InviteToken::generate(&SeededEntropy::new(1), Fingerprint(Sha256Digest::of(b"r")));
        assert_eq!(token.to_string().parse(), Ok(token.clone()));
        assert_eq!(format!("{token:?}"), "InviteToken(..)");
        assert!("fv1-00".parse::<InviteToken>().is_err());
    }
}
