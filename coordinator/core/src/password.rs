//! What a person types: a secret that is printed nowhere and kept as an Argon2id hash (RFC 9106).

use std::fmt;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use fedval_ambient::Entropy;

/// Shortest password that a person may choose (NIST SP 800-63B-4, 3.1.1.2: 15 where it is the only factor).
pub const SHORTEST_PASSWORD: usize = 15;
/// Longest that is hashed.
pub const LONGEST_PASSWORD: usize = 256;
/// Letters of issued passwords, without those that look alike: 32, so that 20 of them hold 100 bits.
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters of an issued password, in groups of five.
const ISSUED_LETTERS: usize = 20;

/// A password in the clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// A password as somebody typed it, whatever its length.
    #[must_use]
    pub const fn typed(text: String) -> Self {
        Self(text)
    }

    /// A random one that is easy to read out.
    pub(crate) fn issue(entropy: &dyn Entropy) -> Self {
        let mut letters = String::new();
        for (index, byte) in entropy.bytes32().iter().take(ISSUED_LETTERS).enumerate() {
            if index > 0 && index % 5 == 0 {
                letters.push('-');
            }
            letters.push(char::from(LETTERS[usize::from(byte & 31)]));
        }
        Self(letters)
    }

    /// The text, for whoever must hand it on.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a person may choose it.
    #[must_use]
    pub fn is_long_enough(&self) -> bool {
        let characters = self.0.chars().count();
        (SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&characters)
    }

    /// Whether it is longer than any that was chosen.
    pub(crate) fn is_too_long(&self) -> bool {
        self.0.chars().count() > LONGEST_PASSWORD
    }

    /// Its hash in PHC form. Takes 19 MiB and some tens of milliseconds.
    pub(crate) fn hash(&self, salt: &[u8; 32]) -> String {
        Argon2::default()
            .hash_password_with_salt(self.0.as_bytes(), &salt[..16])
            .expect("salt and parameters are within Argon2's bounds")
            .to_string()
    }

    /// Whether it is the one that was hashed. As dear as hashing it.
    pub(crate) fn matches(&self, hash: &str) -> bool {
        PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(self.0.as_bytes(), &hash).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use fedval_ambient::SeededEntropy;

    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_alone_and_is_never_printed() {
        let password = Password::typed("correct horse battery".to_owned());
        let hash = password.hash(&[7; 32]);
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(password.matches(&hash));
        assert!(!Password::typed("correct horse batterz".to_owned()).matches(&hash));
        assert!(!password.matches("$argon2id$broken"));
        assert!(!format!("{password:?}").contains("horse"));
    }

    #[test]
    fn issued_passwords_differ_and_may_be_typed() {
        let entropy = SeededEntropy::new(1);
        let (one, other) = (Password::issue(&entropy), Password::issue(&entropy));
        assert_ne!(one, other);
        assert_eq!(one.as_str().len(), ISSUED_LETTERS + 3);
        assert!(one.is_long_enough());
    }

    #[test]
    fn length_is_counted_in_characters() {
        for (text, is_long_enough) in
            [("ä".repeat(14), false), ("ä".repeat(15), true), ("x".repeat(257), false)]
        {
            assert_eq!(Password::typed(text).is_long_enough(), is_long_enough);
        }
    }
}
