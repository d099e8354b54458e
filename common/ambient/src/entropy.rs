//! Randomness, injected.

use std::fmt;
use std::sync::Mutex;

use sha2::{Digest, Sha256};

/// A source of unpredictable bytes.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Thirty-two bytes, for tokens, nonces, salts and key seeds.
    fn bytes32(&self) -> [u8; 32];
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn bytes32(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .expect("the kernel's generator does not fail once it is seeded");
        bytes
    }
}

/// A reproducible sequence for tests: SHA-256 over a seed and a counter.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    counter: Mutex<u64>,
}

impl SeededEntropy {
    /// A sequence that depends on `seed` alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: Mutex::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn bytes32(&self) -> [u8; 32] {
        let mut counter = self.counter.lock().expect("no panic happens while the counter is held");
        *counter += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(counter.to_be_bytes());
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_sequence_and_no_value_repeats() {
        let (a, b) = (SeededEntropy::new(7), SeededEntropy::new(7));
        let first = a.bytes32();
        assert_eq!(first, b.bytes32());
        assert_ne!(first, a.bytes32());
    }
}
