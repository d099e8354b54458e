//! An evaluation that is split among processes, and one that is not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fedval_disclosure::SiteLocal;
use fedval_evaluate::{Progress, Shard};
use fedval_study::protocol::PredictionTables;
use fedval_study::{Sha256Digest, SiteSummary};
use fedval_vault::{CaseOutcome, Checkpoint, ShardCases};

use crate::site::{CASES, Site};

/// Runs process `index` of `of`, and tells where it wrote and how many cases it evaluated.
pub(crate) async fn run(site: &Site, round: &str, index: u32, of: u32) -> (PathBuf, usize) {
    let (file, progress) = (site.beside(&format!("{index}.cases")), Progress::default());
    site.run_shard(round, Shard::new(index, of).unwrap(), &file, &progress).await.unwrap();
    (file, progress.get().0)
}

/// Brings into the vault what a process left.
pub(crate) async fn merge(site: &Site, round: &str, file: &Path) -> BTreeSet<usize> {
    let round = round.parse().unwrap();
    let (mut cases, mut places) = (ShardCases::open(file).unwrap(), BTreeSet::new());
    loop {
        let piece = cases.next_piece().unwrap();
        if piece.is_empty() {
            return places;
        }
        let rows = piece.iter().map(|(place, checkpoint)| (*place, checkpoint));
        site.vault.checkpoint_put_all(&round, rows).await.unwrap();
        places.extend(piece.iter().map(|(place, _)| *place));
    }
}

/// Splits the job `round` among processes and brings together what they found, which is what came of it without.
pub(crate) async fn come_to(site: &Site, round: &str, of: u32, alone: &SiteSummary) -> Progress {
    site.job(round).await;
    for index in 0..of {
        let (file, done) = run(site, round, index, of).await;
        assert!((1..CASES).contains(&done), "process {index} did {done} cases");
        assert_eq!(merge(site, round, &file).await.len(), done, "each case of its own once");
    }
    assert_eq!(site.cases_done(round).await, CASES);
    let progress = Progress::default();
    assert_eq!(site.run_again(round, &progress).await.unwrap(), *alone);
    progress
}

/// Scores that were brought: each process reads the whole table and records those of its patients.
pub(crate) async fn split_scores() {
    let mut site = Site::new().await;
    site.protocol.prediction_tables = PredictionTables::Accept;
    site.bring_scores(|row| match row.case_id.as_str() {
        "CASE0" => String::new(),
        _ => row.logit().to_string(),
    });
    let alone = site.run("chest-r1").await.unwrap();
    assert_eq!(alone.failures.len(), 1, "a case without a score is kept as one");
    let progress = come_to(&site, "chest-r2", 3, &alone).await;
    assert_eq!(progress.get(), (CASES, CASES), "no model runs, and none runs again");
}

/// One process against three: the same summary to the last bit, commitment, failures and the ledger's keys included.
pub(crate) async fn split_evenly() {
    let mut site = Site::new().await;
    site.protocol.analysis.failure_limit = 0.2;
    site.spoil([0, 1, 2]);
    let alone = site.run("chest-r1").await.unwrap();
    let round = "chest-r2";
    site.job(round).await;
    let mut owners: Vec<BTreeSet<usize>> = Vec::new();
    for index in 0..3 {
        let (file, done) = run(&site, round, index, 3).await;
        let places = merge(&site, round, &file).await;
        assert_eq!(places.len(), done, "each case of its own once");
        owners.push(places);
    }
    assert_eq!(owners.iter().map(BTreeSet::len).sum::<usize>(), CASES);
    let all: BTreeSet<usize> = owners.iter().flatten().copied().collect();
    assert_eq!(all, (0..CASES).collect());
    // Two images of each patient, which no process shares with another.
    for own in &owners {
        assert!(own.iter().all(|place| own.contains(&(place ^ 1))), "a patient is split");
    }
    let progress = Progress::default();
    let together = site.run_again(round, &progress).await.unwrap();
    assert_eq!(together, alone);
}

/// Scores that a process made on another kind of machine are made anew: instructions differ, and last bits with them.
pub(crate) async fn on_another_machine() {
    let site = Site::new().await;
    let alone = site.run("chest-r1").await.unwrap();
    for round in ["chest-r2", "chest-r3"] {
        site.job(round).await;
    }
    let (file, done) = run(&site, "chest-r2", 0, 2).await;
    assert!(done > 0);
    // Of this machine they count, whatever they are.
    merge_scores(&site, "chest-r2", &file, |row| row).await;
    let counted = site.run_again("chest-r2", &Progress::default()).await.unwrap();
    assert_ne!(counted, alone);
    // What a process on another one writes.
    let elsewhere = |row: Sha256Digest| Sha256Digest::of(format!("{row} elsewhere").as_bytes());
    merge_scores(&site, "chest-r3", &file, elsewhere).await;
    let together = site.run_again("chest-r3", &Progress::default()).await.unwrap();
    assert_eq!(together, alone);
}

/// Brings what a process left into the vault, each with a score that the model does not give, as of an image that changed since.
async fn merge_scores(
    site: &Site,
    round: &str,
    file: &Path,
    row: impl Fn(Sha256Digest) -> Sha256Digest,
) {
    let mut cases = ShardCases::open(file).unwrap();
    // All of them at once: they are few.
    for (place, checkpoint) in cases.next_piece().unwrap() {
        let left = checkpoint.open_on_site().clone();
        let changed = Checkpoint {
            row: row(left.row),
            outcome: CaseOutcome::Score(0.5_f64.to_bits()),
            image: Some(Sha256Digest::of(b"another image")),
            ..left
        };
        let round = round.parse().unwrap();
        site.vault.checkpoint_put(&round, place, &SiteLocal::new(changed)).await.unwrap();
    }
}

/// What a process left is taken up where it was, and what none did is evaluated by whoever brings it together.
pub(crate) async fn goes_on_without_one() {
    let site = Site::new().await;
    let alone = site.run("chest-r1").await.unwrap();
    let round = "chest-r2";
    site.job(round).await;
    let (file, done) = run(&site, round, 0, 2).await;
    assert!((1..CASES).contains(&done));
    let (_, again) = run(&site, round, 0, 2).await;
    assert_eq!(again, 0, "all of its cases were done");
    merge(&site, round, &file).await;
    assert_eq!(site.cases_done(round).await, done);
    let together = site.run_again(round, &Progress::default()).await.unwrap();
    assert_eq!(together, alone);
    assert_eq!(site.cases_done(round).await, CASES);
}
