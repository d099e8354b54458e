//! Checkpoints: they survive, they are replaced case by case, and nothing prints them.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod shelf;

use fedval_ambient::{Entropy as _, SeededEntropy};
use fedval_disclosure::SiteLocal;
use fedval_study::Sha256Digest;
use fedval_study::summary::FailureReason;
use fedval_vault::{CaseOutcome, Checkpoint, MasksOutcome, Vault};
use shelf::{Shelf, new_job, released, round};

const CANARY: &str = "ZZCANARY";

fn checkpoint(outcome: CaseOutcome) -> Checkpoint {
    Checkpoint {
        row: Sha256Digest::of(b"row"),
        outcome,
        attributes: [(CANARY.to_owned(), CANARY.to_owned())].into(),
        image: Some(Sha256Digest::of(b"image")),
    }
}

async fn put(vault: &Vault, index: usize, outcome: CaseOutcome) {
    let checkpoint = SiteLocal::new(checkpoint(outcome));
    vault.checkpoint_put(&round(), index, &checkpoint).await.unwrap();
}

async fn outcomes(vault: &Vault) -> Vec<(usize, CaseOutcome)> {
    let list = vault.checkpoint_list(&round()).await.unwrap();
    list.open_on_site().iter().map(|(index, stored)| (*index, stored.outcome.clone())).collect()
}

/// A score that decimal text would have to round.
fn score() -> CaseOutcome {
    CaseOutcome::Score((0.1_f64 + 0.2).to_bits())
}

#[tokio::test]
async fn checkpoints_survive_reopening_to_the_last_bit() {
    let shelf = Shelf::with_a_job().await;
    put(&shelf.vault, 3, score()).await;
    put(&shelf.vault, 1, CaseOutcome::Failed(FailureReason::Undecodable)).await;
    let again = shelf.opened_again().await;
    let list = again.checkpoint_list(&round()).await.unwrap();
    let stored = list.open_on_site();
    assert_eq!(stored.keys().copied().collect::<Vec<_>>(), [1, 3]);
    assert!(stored[&3] == checkpoint(score()));
    assert!(stored[&1] == checkpoint(CaseOutcome::Failed(FailureReason::Undecodable)));
}

#[tokio::test]
async fn a_case_that_is_evaluated_again_replaces_its_own_checkpoint_only() {
    let shelf = Shelf::with_a_job().await;
    put(&shelf.vault, 0, score()).await;
    put(&shelf.vault, 1, score()).await;
    put(&shelf.vault, 0, CaseOutcome::Failed(FailureReason::InvalidOutput)).await;
    let expected = [(0, CaseOutcome::Failed(FailureReason::InvalidOutput)), (1, score())];
    assert!(outcomes(&shelf.vault).await == expected);
}

#[tokio::test]
async fn several_cases_are_recorded_at_once_and_the_last_word_on_each_counts() {
    let shelf = Shelf::with_a_job().await;
    put(&shelf.vault, 1, CaseOutcome::Failed(FailureReason::Undecodable)).await;
    let outcomes_put =
        [CaseOutcome::Score(u64::MAX), score(), CaseOutcome::Failed(FailureReason::WrongSize)];
    let checkpoints = outcomes_put.clone().map(|outcome| SiteLocal::new(checkpoint(outcome)));
    shelf.vault.checkpoint_put_all(&round(), checkpoints.iter().enumerate()).await.unwrap();
    assert!(
        outcomes(&shelf.vault).await == outcomes_put.into_iter().enumerate().collect::<Vec<_>>()
    );
    let list = shelf.vault.checkpoint_list(&round()).await.unwrap();
    assert!(list.open_on_site()[&1] == checkpoint(score()), "attributes and digests too");
    shelf.vault.checkpoint_put_all(&round(), []).await.unwrap();
    assert_eq!(outcomes(&shelf.vault).await.len(), 3);
}

#[tokio::test]
async fn a_job_that_is_not_there_takes_no_checkpoint_of_several() {
    let shelf = Shelf::with_a_job().await;
    let checkpoints = [SiteLocal::new(checkpoint(score()))];
    let unknown = "chest-r9".parse().unwrap();
    assert!(
        shelf.vault.checkpoint_put_all(&unknown, checkpoints.iter().enumerate()).await.is_err()
    );
    assert!(shelf.vault.checkpoint_list(&unknown).await.unwrap().open_on_site().is_empty());
}

#[tokio::test]
async fn pages_hold_every_case_once_in_the_order_of_places() {
    let shelf = Shelf::with_a_job().await;
    assert!(shelf.vault.checkpoint_page(&round(), 0).await.unwrap().open_on_site().is_empty());
    // Two pages and the beginning of a third, with a gap.
    let places: Vec<usize> = (0..4_100).filter(|place| *place != 1_999).collect();
    let checkpoints: Vec<_> = places
        .iter()
        .map(|place| SiteLocal::new(checkpoint(CaseOutcome::Score(*place as u64))))
        .collect();
    let rows = places.iter().copied().zip(&checkpoints);
    shelf.vault.checkpoint_put_all(&round(), rows).await.unwrap();
    let (mut from, mut seen) = (0, Vec::new());
    loop {
        let page = shelf.vault.checkpoint_page(&round(), from).await.unwrap();
        let page = page.open_on_site();
        assert!(page.len() <= 2_000);
        let Some((last, _)) = page.last() else { break };
        from = last + 1;
        assert!(
            page.iter().all(|(place, it)| *it == checkpoint(CaseOutcome::Score(*place as u64)))
        );
        seen.extend(page.iter().map(|(place, _)| *place));
    }
    assert_eq!(seen, places);
}

#[tokio::test]
async fn jobs_do_not_share_checkpoints() {
    let shelf = Shelf::with_a_job().await;
    shelf.vault.job_insert(&new_job("chest-r2"), shelf.now()).await.unwrap();
    put(&shelf.vault, 0, score()).await;
    let other = shelf.vault.checkpoint_list(&"chest-r2".parse().unwrap()).await.unwrap();
    assert!(other.open_on_site().is_empty());
}

#[tokio::test]
async fn scores_are_forgotten_once_they_are_no_longer_needed_and_failed_cases_are_kept() {
    let shelf = Shelf::with_a_result().await;
    let failed = CaseOutcome::Failed(FailureReason::WrongSize);
    put(&shelf.vault, 0, score()).await;
    put(&shelf.vault, 1, failed.clone()).await;
    let both = [0.9_f64, 2.5, 0.75].map(f64::to_bits);
    put(&shelf.vault, 2, CaseOutcome::Masks(MasksOutcome::Both(both))).await;
    put(&shelf.vault, 3, CaseOutcome::Masks(MasksOutcome::Neither)).await;
    put(&shelf.vault, 4, CaseOutcome::Scores(both.to_vec())).await;
    put(&shelf.vault, 5, CaseOutcome::Boxes(Vec::new())).await;
    put(&shelf.vault, 6, CaseOutcome::Boxes(vec![[1.0_f64, 2.0, 3.0, 4.0, 0.5].map(f64::to_bits)]))
        .await;
    shelf.commit(&released("chest-r1")).await.unwrap();
    assert_eq!(outcomes(&shelf.vault).await.len(), 7, "a result that was not sent yet");
    let digest = released("chest-r1").digest();
    shelf.vault.sent_record(&round(), digest, shelf.now()).await.unwrap();
    assert!(outcomes(&shelf.vault).await == [(1, failed)]);
}

#[tokio::test]
async fn the_secret_of_the_site_is_made_once() {
    let shelf = Shelf::empty().await;
    let secret = shelf.vault.cohort_secret(&SeededEntropy::new(1)).await.unwrap();
    assert_eq!(secret, SeededEntropy::new(1).bytes32());
    let again = shelf.opened_again().await.cohort_secret(&SeededEntropy::new(2)).await.unwrap();
    assert_eq!(again, secret);
}

#[tokio::test]
async fn of_two_processes_that_make_the_secret_both_get_the_same() {
    let shelf = Shelf::empty().await;
    let there = shelf.opened_again().await;
    let (one, two) = (SeededEntropy::new(1), SeededEntropy::new(2));
    let (first, second) = tokio::join!(shelf.vault.cohort_secret(&one), there.cohort_secret(&two));
    assert_eq!(first.unwrap(), second.unwrap());
}

#[tokio::test]
async fn debug_shows_nothing_of_a_case_nor_of_bytes_that_nobody_approved() {
    let shelf = Shelf::with_a_result().await;
    put(&shelf.vault, 0, score()).await;
    let list = shelf.vault.checkpoint_list(&round()).await.unwrap();
    let bits = (0.1_f64 + 0.2).to_bits().to_string();
    for shown in [
        format!("{list:?}"),
        format!("{:?}", list.open_on_site()),
        format!("{:?}", checkpoint(score())),
        format!("{:?}", CaseOutcome::Failed(FailureReason::Undecodable)),
        format!("{:?}", shelf.vault),
    ] {
        for secret in [CANARY, bits.as_str(), "Undecodable"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    let waiting = shelf.vault.vetted_find(&round()).await.unwrap().unwrap();
    let shown = format!("{waiting:?}");
    assert!(shown.contains(&waiting.digest.to_string()[..8]), "{shown}");
    assert!(!shown.contains("bytes") && !shown.contains("whole cohort"), "{shown}");
}
