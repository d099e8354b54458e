//! Ed25519 keys and signatures (RFC 8032).

use std::fmt;

use ed25519_dalek::ed25519::signature::{MultipartSigner as _, MultipartVerifier as _};
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, spki::der::pem::LineEnding};
use ed25519_dalek::{SigningKey, VerifyingKey};
use fedval_ambient::Entropy;
use serde::{Deserialize, Serialize};

/// Bytes or a file are not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 private key in PKCS#8 PEM")]
pub struct KeyError;

/// A private key. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Makes a key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(SigningKey::from_bytes(&entropy.bytes32()))
    }

    /// Reads a key from PKCS#8 PEM.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the text is not such a key.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        SigningKey::from_pkcs8_pem(pem).map(Self).map_err(|_| KeyError)
    }

    /// The key in PKCS#8 PEM, to be written with mode 0600 and nowhere else.
    ///
    /// # Panics
    ///
    /// Never: every Ed25519 key has a PKCS#8 form.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF).expect("an Ed25519 key has a PKCS#8 form");
        pem.to_string()
    }

    /// The key in PKCS#8 DER, for TLS.
    ///
    /// # Panics
    ///
    /// Never: every Ed25519 key has a PKCS#8 form.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let der = self.0.to_pkcs8_der().expect("an Ed25519 key has a PKCS#8 form");
        der.as_bytes().to_vec()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a message that lies in memory in parts, as it stands; documents go through [`crate::dsse`].
    #[must_use]
    pub(crate) fn sign(&self, message: &[&[u8]]) -> Signature {
        Signature(self.0.multipart_sign(message).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// A key from its 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `signature` is this key's over a `message` that lies in memory in parts, by the strict rules: neither
    /// the key nor the signature's point is of small order, with which one signature would do for many messages.
    #[must_use]
    pub(crate) fn verifies(&self, message: &[&[u8]], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        let strong = |point| VerifyingKey::from_bytes(point).ok().filter(|point| !point.is_weak());
        strong(signature.r_bytes()).is_some()
            && strong(&self.0).is_some_and(|key| key.multipart_verify(message, &signature).is_ok())
    }
}

/// A detached signature of 64 bytes, written in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signature([u8; 64]);

impl Signature {
    /// The signature's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = &'static str;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self).map_err(|_| "a signature is 64 bytes")
    }
}

impl TryFrom<String> for Signature {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = crate::signed::unhex(&text).ok_or("a signature is 128 hexadecimal digits")?;
        Self::try_from(bytes.as_slice())
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> Self {
        crate::signed::hex(&signature.0)
    }
}

#[cfg(test)]
mod tests {
    use fedval_ambient::SeededEntropy;

    use super::*;

    #[test]
    fn a_key_survives_its_pem_and_hides_in_debug() {
        let key = SecretKey::generate(&SeededEntropy::new(1));
        assert_eq!(SecretKey::from_pem(&key.to_pem()).unwrap().public(), key.public());
        assert_eq!(format!("{key:?}"), "SecretKey(..)");
    }

    #[test]
    fn parts_of_a_message_are_signed_as_the_whole() {
        let key = SecretKey::generate(&SeededEntropy::new(1));
        let signature = key.sign(&[b"he", b"", b"llo"]);
        assert_eq!(signature, key.sign(&[b"hello"]));
        assert!(key.public().verifies(&[b"hell", b"o"], &signature));
        assert!(!key.public().verifies(&[b"hell"], &signature));
    }

    /// What the rules of RFC 8032 alone let pass.
    fn is_let_pass(key: PublicKey, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        let key = VerifyingKey::from_bytes(&key.0).unwrap();
        key.multipart_verify(&[message], &signature).is_ok()
    }

    #[test]
    fn a_key_of_small_order_signs_nothing() {
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let key = PublicKey::from_bytes(neutral);
        let signature = Signature::try_from([neutral, [0; 32]].concat().as_slice()).unwrap();
        for message in [&b"hello"[..], b"another"] {
            assert!(is_let_pass(key, message, &signature));
            assert!(!key.verifies(&[message], &signature));
        }
    }

    /// The key is that of RFC 8032, 7.1, TEST 1; who has its secret can make this signature with the nonce 0.
    #[test]
    fn a_signature_with_a_point_of_small_order_is_none() {
        let hex = |text: &str| crate::signed::unhex(text).unwrap();
        let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let key = PublicKey::from_bytes(public.try_into().unwrap());
        let mut signature = [0; 32].to_vec();
        signature[0] = 1;
        signature.extend(hex("643d2e279529250140d52f07aee8990876f53bba2f176d2249fe90af5c0b3e0b"));
        let signature = Signature::try_from(signature.as_slice()).unwrap();
        assert!(is_let_pass(key, b"hello", &signature));
        assert!(!key.verifies(&[b"hello"], &signature));
    }
}
