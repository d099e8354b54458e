//! How many of a kind each key holds, and how many it may hold.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

type Counts<K> = Arc<Mutex<BTreeMap<K, usize>>>;

/// Counts by key. Only keys that hold something are remembered, so memory is bounded by what is held.
#[derive(Debug)]
pub(crate) struct Tally<K: Ord + Copy> {
    most: usize,
    counts: Counts<K>,
}

/// One of what a key holds; given back when dropped.
#[derive(Debug)]
pub(crate) struct Held<K: Ord + Copy> {
    key: K,
    counts: Counts<K>,
}

impl<K: Ord + Copy> Tally<K> {
    /// At most `most` for each key.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, counts: Arc::default() }
    }

    /// One more for `key`, unless it holds as many as it may.
    pub(crate) fn hold(&self, key: K) -> Option<Held<K>> {
        let mut counts = self.counts.lock().expect("no panic happens while it is held");
        let count = counts.entry(key).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Held { key, counts: Arc::clone(&self.counts) })
    }
}

impl<K: Ord + Copy> Drop for Held<K> {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().expect("no panic happens while it is held");
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_holds_so_many_and_is_forgotten_when_it_holds_none() {
        let tally = Tally::new(2);
        let (first, second) = (tally.hold(1).unwrap(), tally.hold(1).unwrap());
        assert!(tally.hold(1).is_none());
        assert!(tally.hold(2).is_some(), "another key is not concerned");
        drop(first);
        let third = tally.hold(1);
        assert!(third.is_some());
        drop((third, second));
        assert!(tally.counts.lock().unwrap().is_empty());
    }
}
