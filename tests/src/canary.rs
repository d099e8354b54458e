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
            // What a table leaves out is no word.
            let told = line.split(',').take(3).filter(|word| !word.is_empty());
            words.extend(told.map(str::to_owned));
        }
        Self(words)
    }

    /// The words found in `bytes`, readings of a clock left out.
    #[must_use]
    pub fn found_in(&self, bytes: &[u8]) -> Vec<&str> {
        let told = without_clock(bytes);
        self.0.iter().filter(|word| stands_in(word, &told)).map(String::as_str).collect()
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

/// Whether `word` stands in `bytes`.
#[must_use]
pub fn stands_in(word: &str, bytes: &[u8]) -> bool {
    bytes.windows(word.len()).any(|part| part == word.as_bytes())
}

/// The same without what a clock said: in `13:07:50.920912Z` or `elapsed=104.312µs` a score stands by chance.
#[must_use]
pub fn without_clock(bytes: &[u8]) -> Vec<u8> {
    let mut kept: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, further)) = rest.split_first() {
        kept.push(*byte);
        let is_reading = is_second(&kept) || CLOCKS.iter().any(|clock| kept.ends_with(clock));
        let is_number = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
        let digits = if is_reading { further.iter().take_while(is_number).count() } else { 0 };
        rest = &further[digits..];
    }
    kept
}

/// What stands before the time that something took.
const CLOCKS: [&[u8]; 2] = [b"elapsed=", b"elapsed_secs="];

/// Whether `text` ends in the point after the seconds of a time of day.
fn is_second(text: &[u8]) -> bool {
    let shape: Option<&[u8; 7]> = text.last_chunk();
    shape.is_some_and(|shape| {
        let [colon, m, n, second, s, t, point] = shape;
        (colon, second, point) == (&b':', &b':', &b'.')
            && [m, n, s, t].iter().all(|digit| digit.is_ascii_digit())
    })
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
