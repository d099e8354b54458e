//! Words that must never leave a site.

use std::collections::BTreeSet;
use std::path::Path;

/// Patient names, case ids, patient ids and paths of one site.
#[derive(Debug, Default)]
pub struct Canaries(BTreeSet<String>);

impl Canaries {
    /// The words of a site whose data lies in `folder`, with a `manifest.csv`.
    ///
    /// # Panics
    ///
    /// If the manifest cannot be read.
    #[must_use]
    pub fn of_site(folder: &Path) -> Self {
        let manifest =
            std::fs::read_to_string(folder.join("manifest.csv")).expect("a readable manifest");
        let mut words = BTreeSet::from(["ZZCANARY".to_owned(), folder.display().to_string()]);
        for line in manifest.lines().skip(1) {
            words.extend(line.split(',').take(3).map(str::to_owned));
        }
        Self(words)
    }

    /// The words found in `bytes`.
    #[must_use]
    pub fn found_in(&self, bytes: &[u8]) -> Vec<&str> {
        let contains = |word: &&String| bytes.windows(word.len()).any(|w| w == word.as_bytes());
        self.0.iter().filter(contains).map(String::as_str).collect()
    }

    /// Adds the words of another site.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many words there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Every file below `folder`, with its bytes.
///
/// # Panics
///
/// If a file cannot be read.
#[must_use]
pub fn files_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            let bytes = std::fs::read(&path).expect("a readable file");
            files.push((path.display().to_string(), bytes));
        }
    }
    files
}
