//! What the processes of an evaluation that is split leave for the agent.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fedval_ambient::Problem as _;
use fedval_disclosure::SiteLocal;
use fedval_study::Sha256Digest;
use fedval_study::summary::FailureReason;
use fedval_vault::{CaseOutcome, Checkpoint, ShardCases, ShardFile};

fn checkpoint(outcome: CaseOutcome) -> SiteLocal<Checkpoint> {
    SiteLocal::new(Checkpoint {
        row: Sha256Digest::of(b"row"),
        outcome,
        attributes: [("Manufacturer".to_owned(), "a\nb".to_owned())].into(),
        image: Some(Sha256Digest::of(b"image")),
    })
}

fn score(of: usize) -> SiteLocal<Checkpoint> {
    // One that decimal text would have to round.
    checkpoint(CaseOutcome::Score((0.1_f64 + 0.2).to_bits() + of as u64))
}

fn cases(path: &Path) -> Vec<(usize, Checkpoint)> {
    let mut reader = ShardCases::open(path).unwrap();
    let mut all = Vec::new();
    loop {
        let piece = reader.next_piece().unwrap();
        if piece.is_empty() {
            return all;
        }
        all.extend(piece.into_iter().map(|(place, it)| (place, it.open_on_site().clone())));
    }
}

#[test]
fn what_was_written_is_read_to_the_last_bit_also_after_a_cut_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("0.cases");
    let file = ShardFile::open(&path).unwrap();
    let failed = checkpoint(CaseOutcome::Failed(FailureReason::Undecodable));
    file.append([(7, &score(0)), (3, &failed)]).unwrap();
    drop(file);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // The process ended in the middle of its last write.
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"[9,{\"row\":").unwrap();
    let file = ShardFile::open(&path).unwrap();
    file.append([(7, &score(1))]).unwrap();
    let expected = [(7, score(0)), (3, failed), (7, score(1))];
    let expected: Vec<_> =
        expected.iter().map(|(place, it)| (*place, it.open_on_site().clone())).collect();
    assert!(cases(&path) == expected);
}

#[test]
fn a_line_that_cannot_be_read_costs_its_own_case_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("0.cases");
    let file = ShardFile::open(&path).unwrap();
    file.append([(0, &score(0))]).unwrap();
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"\xff\x00{\n").unwrap();
    // More than one piece.
    let many: Vec<_> = (1..2_500).map(score).collect();
    file.append((1..2_500).zip(&many)).unwrap();
    let places: Vec<usize> = cases(&path).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, (0..2_500).collect::<Vec<_>>());
}

#[test]
fn one_process_has_it_and_says_when_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("0.cases");
    let file = ShardFile::open(&path).unwrap();
    let second = ShardFile::open(&path).unwrap_err();
    assert_eq!(second.code(), "SHARD_RUNNING");
    assert!(!ShardCases::is_complete(&path));
    file.complete().unwrap();
    assert!(ShardCases::is_complete(&path));
    drop(file);
    assert!(ShardFile::open(&path).is_ok());
}
