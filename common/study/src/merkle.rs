//! The Merkle tree of RFC 6962, section 2.1, as it grows.
//!
//! What is kept of a tree of n leaves is the roots of its full subtrees, at most log₂ n of them: enough to
//! append leaves and to compute the root, so that whoever followed a log knows whether it still is the same.
//!
//! These few lines stand here, and no crate: what there is brings proofs that nobody asks for, with a tree held whole
//! and two dozen crates of its own, into the agent that guards patients' data; and what is hashed as a leaf stays ours
//! to say. That they are the tree of the RFC is shown by its definition, word by word, and by the roots of the
//! reference implementation's own tests.

use crate::digest::Sha256Digest;

/// Hash of a leaf: SHA-256 of 0x00 and the entry.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Sha256Digest {
    Sha256Digest::of(&[&[0x00], entry].concat())
}

/// A tree of which leaves were appended one by one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MerkleTree {
    leaves: u64,
    /// Roots of full subtrees, the largest first: one for each bit of `leaves` that is set.
    subtrees: Vec<Sha256Digest>,
}

impl MerkleTree {
    /// A tree as it was kept; `None` where the subtrees are not those of so many leaves.
    #[must_use]
    pub fn from_parts(leaves: u64, subtrees: Vec<Sha256Digest>) -> Option<Self> {
        let fits = u32::try_from(subtrees.len()).is_ok_and(|count| count == leaves.count_ones());
        fits.then_some(Self { leaves, subtrees })
    }

    /// Leaves.
    #[must_use]
    pub const fn leaves(&self) -> u64 {
        self.leaves
    }

    /// Roots of the full subtrees, the largest first.
    #[must_use]
    pub fn subtrees(&self) -> &[Sha256Digest] {
        &self.subtrees
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Sha256Digest) {
        let mut node = leaf;
        // Each subtree that is as large as the new one becomes one with it.
        for _ in 0..self.leaves.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                node = parent(&left, &node);
            }
        }
        self.subtrees.push(node);
        self.leaves += 1;
    }

    /// The root; that of no leaves is the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Sha256Digest {
        let from_the_right = self.subtrees.iter().rev().copied();
        from_the_right
            .reduce(|right, left| parent(&left, &right))
            .unwrap_or_else(|| Sha256Digest::of(b""))
    }
}

impl Extend<Sha256Digest> for MerkleTree {
    fn extend<I: IntoIterator<Item = Sha256Digest>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

fn parent(left: &Sha256Digest, right: &Sha256Digest) -> Sha256Digest {
    Sha256Digest::of(&[&[0x01], &left.as_bytes()[..], &right.as_bytes()[..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, word by word.
    fn by_definition(leaves: &[Sha256Digest]) -> Sha256Digest {
        match leaves {
            [] => Sha256Digest::of(b""),
            [leaf] => *leaf,
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                parent(&by_definition(&leaves[..half]), &by_definition(&leaves[half..]))
            }
        }
    }

    #[test]
    fn a_grown_tree_has_the_root_of_the_definition() {
        let leaves: Vec<_> = (0..70_u8).map(|byte| leaf_hash(&[byte])).collect();
        let mut tree = MerkleTree::default();
        for grown in 0..=leaves.len() {
            assert_eq!(tree.root(), by_definition(&leaves[..grown]), "{grown}");
            let kept = MerkleTree::from_parts(tree.leaves(), tree.subtrees().to_vec());
            assert_eq!(kept.as_ref(), Some(&tree));
            tree.extend(leaves.get(grown).copied());
        }
        assert_eq!(MerkleTree::from_parts(3, vec![leaves[0]]), None);
    }

    /// The entries and roots of the reference implementation's own tests (certificate-transparency).
    #[test]
    fn the_known_roots_of_known_entries() {
        let entries: [&[u8]; 8] = [
            &[],
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let mut tree = MerkleTree::default();
        tree.extend(entries.map(leaf_hash));
        assert_eq!(
            tree.root().to_string(),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
        assert_eq!(
            MerkleTree::default().root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
