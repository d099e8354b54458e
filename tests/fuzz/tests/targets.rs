//! Every entry has a target, and every target stands bytes of every kind.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use fedval_fuzz::targets;

/// Inputs of each target: a fraction of a second each; `run.sh` runs for as long as it is told.
const INPUTS: u64 = 300;
const BYTES: u64 = 400;

/// Bytes without a pattern (`SplitMix64`).
fn bytes(seed: u64, length: u64) -> Vec<u8> {
    let word = |place: u64| {
        let mut z =
            seed.wrapping_mul(BYTES).wrapping_add(place).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (0..length).map(|place| word(place).to_le_bytes()[0]).collect()
}

#[test]
fn nothing_panics_and_every_number_is_finite() {
    let mut failed = Vec::new();
    for target in targets() {
        let mut inputs = vec![Vec::new(), vec![0xff; 400]];
        inputs.extend((0..INPUTS).map(|seed| bytes(seed, 1 + seed * 7 % BYTES)));
        // All that fail are named at once, each with the first input that it does not stand.
        let stands = |input: &Vec<u8>| catch_unwind(|| target.run(input)).is_ok();
        failed.extend(inputs.iter().position(|input| !stands(input)).map(|at| (target.entry, at)));
    }
    assert!(failed.is_empty(), "entry and input: {failed:?}");
}

/// The engine's free public functions, as `module::name`.
fn entries(folder: &Path, module: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = if module.is_empty() { &stem } else { module };
        if path.is_dir() {
            entries(&path, module, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let public = text.lines().filter_map(|line| line.strip_prefix("pub fn "));
            let name = |line: &str| line.split(['(', '<']).next().unwrap().to_owned();
            found.extend(public.map(|line| format!("{module}::{}", name(line))));
        }
    }
}

#[test]
fn every_public_entry_has_a_target() {
    let sources = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../common/stats/src"));
    let mut wanted = BTreeSet::new();
    entries(sources, "", &mut wanted);
    let has: BTreeSet<String> = targets().iter().map(|target| target.entry.to_owned()).collect();
    let missing: Vec<&String> = wanted.difference(&has).collect();
    assert!(missing.is_empty() && wanted.len() > 90, "no target: {missing:?}");
}
