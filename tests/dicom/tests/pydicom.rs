//! pydicom's own test files: what is read is what pydicom reads, and no damage to them harms.

use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

use fedval_dicom_files::{Expected, Ours, Row, files, readme, rows, table, with_table};
use fedval_ingest::decode::stored_frame;

/// Levels by which decoders of a lossy code may differ: each rounds a cosine transform once, and
/// colours are three of them.
const LOSSY_LEVELS: u64 = 3;

/// Files beyond this take long to decode, and hold nothing that smaller ones do not.
const LARGE_BYTES: usize = 64 << 10;

/// The files, or nothing outside CI where nobody fetched them: CI has no excuse.
fn folder() -> Option<PathBuf> {
    let folder = files();
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "tests/run.sh fetches {}", folder.display());
    None
}

#[test]
fn every_file_is_read_as_pydicom_reads_it_or_refused_with_a_reason() {
    let Some(folder) = folder() else { return };
    let expected = Expected::committed();
    let rows = rows(&folder, &expected);
    let wrong = |row: &&Row<'_>| match &row.ours {
        Ours::Differs(_) => true,
        Ours::Within(levels) => *levels > LOSSY_LEVELS,
        Ours::Equal | Ours::OnlyHere | Ours::Refused(_) => false,
    };
    let wrong: Vec<_> = rows.iter().filter(wrong).map(|row| (row.file, &row.ours)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let page = fs::read_to_string(readme()).expect("the README is there");
    let now = with_table(&page, &table(&rows));
    assert!(page == now, "the README's table is old: cargo run -p fedval-dicom-files\n{now}");
}

/// Numbers without a pattern (`SplitMix64`).
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).expect("below a usize")
    }
}

/// The file cut short, then with bits turned over: mostly where its elements are, then anywhere.
fn damaged(whole: &[u8], noise: &mut Noise) -> Vec<Vec<u8>> {
    let ends = (0..8).map(|eighth| whole.len() * eighth / 8);
    let mut copies: Vec<Vec<u8>> = ends.map(|end| whole[..end].to_vec()).collect();
    let turned = if whole.len() > LARGE_BYTES { 4 } else { 16 };
    for copy in 0..turned {
        let mut bytes = whole.to_vec();
        let within = if copy % 2 == 0 { bytes.len() } else { bytes.len().min(2048) };
        for _ in 0..=copy % 5 {
            bytes[noise.below(within)] ^= 1 << noise.below(8);
        }
        copies.push(bytes);
    }
    copies
}

#[test]
fn no_damaged_copy_of_any_file_panics() {
    let Some(folder) = folder() else { return };
    let mut noise = Noise(20_261_127);
    let mut panicked = Vec::new();
    for file in Expected::committed().files.keys() {
        let whole = fs::read(folder.join(file)).expect("listed files are there");
        for (copy, bytes) in damaged(&whole, &mut noise).iter().enumerate() {
            // Read or refused: what counts is an answer.
            if catch_unwind(|| stored_frame(bytes, 1).is_ok()).is_err() {
                panicked.push((file.clone(), copy));
            }
        }
    }
    assert!(panicked.is_empty(), "file and copy: {panicked:?}");
}
