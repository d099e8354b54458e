//! The coordinator's log as a package holds it.

use fedval_study::{LogCheckpoint, Sha256Digest, SiteId, leaf_hash};
use fedval_trust::{Endorsement, SignedDocument};
use serde::{Deserialize, Serialize};

/// How a line begins that holds a hash alone; no entry begins so.
const HIDDEN: &str = "{\"leaf\":\"";

/// The log: every leaf of its tree, where it stands, and which sites say so too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvidence {
    /// One line for each leaf: the entry where it concerns the round, its hash where it concerns others.
    pub lines: Vec<String>,
    /// A [`LogCheckpoint`] over all of them, signed by the coordinator.
    pub checkpoint: SignedDocument,
    /// States that sites followed and signed, in order of ids.
    pub cosignatures: Vec<Cosignature>,
}

/// A state of the log with the signature of a site that followed it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosignature {
    /// The site.
    pub site: SiteId,
    /// The state.
    pub checkpoint: LogCheckpoint,
    /// The site's signature.
    pub endorsement: Endorsement,
}

impl LogEvidence {
    /// Lines of entries, given as canonical bytes.
    #[must_use]
    pub fn lines(entries: &[Vec<u8>], is_readable: impl Fn(&[u8]) -> bool) -> Vec<String> {
        let line = |entry: &Vec<u8>| match std::str::from_utf8(entry) {
            Ok(text) if is_readable(entry) => text.to_owned(),
            _ => format!("{HIDDEN}{}\"}}", leaf_hash(entry)),
        };
        entries.iter().map(line).collect()
    }

    /// The file of the lines.
    pub(crate) fn file(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>().into_bytes()
    }
}

/// A leaf as a line tells it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leaf<'l> {
    /// Readable: the entry's canonical bytes.
    Entry(&'l str),
    /// Its hash alone.
    Hidden(Sha256Digest),
}

impl<'l> Leaf<'l> {
    /// Reads a line; `None` where it is neither.
    pub(crate) fn read(line: &'l str) -> Option<Self> {
        match line.strip_prefix(HIDDEN) {
            Some(rest) => rest.strip_suffix("\"}")?.parse().ok().map(Self::Hidden),
            None => Some(Self::Entry(line)),
        }
    }

    /// Its hash in the tree.
    pub(crate) fn hash(&self) -> Sha256Digest {
        match self {
            Self::Entry(entry) => leaf_hash(entry.as_bytes()),
            Self::Hidden(hash) => *hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_leaf_whether_it_shows_the_entry_or_not() {
        let entry = b"{\"at_ms\":1}".to_vec();
        let [shown, hidden] = [true, false]
            .map(|shown| LogEvidence::lines(std::slice::from_ref(&entry), |_| shown).remove(0));
        assert_eq!(shown, "{\"at_ms\":1}");
        assert!(!hidden.contains("at_ms"));
        for line in [&shown, &hidden] {
            assert_eq!(Leaf::read(line).unwrap().hash(), leaf_hash(&entry));
        }
        assert_eq!(Leaf::read("{\"leaf\":\"12\"}"), None);
    }
}
