//! Any bit of any byte: of a file beside the others, and of the archive.

use std::io::Cursor;
use std::ops::Range;

use fedval_report::{ARCHIVE, unpack, verify};
use proptest::prelude::{any, prop_assert};
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use super::{is_named, untouched};

/// Each case verifies a whole package.
fn runner() -> TestRunner {
    TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(64) })
}

fn flip(bytes: &mut [u8], at: usize, bit: u32) {
    bytes[at] ^= 1 << bit;
}

#[test]
fn a49_a_bit_flipped_anywhere_in_any_file_is_found_and_named() {
    let (consortium, files) = untouched();
    let root = Some(consortium.authority.root().fingerprint());
    let paths: Vec<&String> = files.keys().collect();
    assert!(files.values().all(|bytes| !bytes.is_empty()));
    let anywhere = (0..paths.len(), any::<Index>(), 0..8_u32);
    runner()
        .run(&anywhere, |(file, place, bit)| {
            let (path, mut files) = (paths[file], files.clone());
            let bytes = files.get_mut(path).unwrap();
            let at = place.index(bytes.len());
            flip(bytes, at, bit);
            let verification = verify(&files, root);
            prop_assert!(!verification.holds(), "bit {bit} of byte {at} of {path}");
            prop_assert!(is_named(&verification, path), "{path}: {:?}", verification.parts);
            Ok(())
        })
        .unwrap();
}

/// The content of each member by its path, as any reader of ZIP finds it from the first header on.
fn contents(archive: &[u8]) -> Vec<(String, Range<usize>)> {
    let number = |at: usize, length: usize| {
        let bytes = archive[at..at + length].iter().rev();
        bytes.fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte))
    };
    let (mut at, mut found) = (0, Vec::new());
    while archive[at..].starts_with(b"PK\x03\x04") {
        let start = at + 30 + number(at + 26, 2);
        let path = String::from_utf8(archive[at + 30..start].to_vec()).unwrap();
        at = start + number(at + 22, 4);
        found.push((path, start..at));
    }
    found
}

/// What stands between the files is as much a part of the archive as they are: a quarter of the bits are its.
#[test]
fn a49_a_bit_flipped_anywhere_in_the_archive_is_found_and_named_or_makes_it_unreadable() {
    let (consortium, files) = untouched();
    let root = Some(consortium.authority.root().fingerprint());
    let whole = &files[ARCHIVE];
    let contents = contents(whole);
    assert_eq!(contents.len() + 1, files.len());
    let is_content = |at: &usize| contents.iter().any(|(_, content)| content.contains(at));
    let between: Vec<usize> = (0..whole.len()).filter(|at| !is_content(at)).collect();
    let anywhere = (0..4_u32, 0..contents.len(), any::<Index>(), 0..8_u32);
    runner()
        .run(&anywhere, |(quarter, member, place, bit)| {
            let mut archive = whole.clone();
            if quarter == 0 {
                let at = between[place.index(between.len())];
                flip(&mut archive, at, bit);
                prop_assert!(unpack(Cursor::new(archive)).is_err(), "bit {bit} of byte {at}");
                return Ok(());
            }
            let (path, content) = &contents[member];
            flip(&mut archive, content.start + place.index(content.len()), bit);
            let verification = verify(&unpack(Cursor::new(archive)).unwrap(), root);
            prop_assert!(!verification.holds(), "bit {bit} of {path}");
            prop_assert!(is_named(&verification, path), "{path}: {:?}", verification.parts);
            Ok(())
        })
        .unwrap();
}
