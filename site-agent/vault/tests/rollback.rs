//! A ledger that was brought back from a backup, and what comes of asking again and again.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod shelf;

use fedval_ambient::Problem as _;
use fedval_study::{LedgerMark, Sha256Digest, SiteId};
use fedval_vault::Event;
use shelf::{Shelf, new_job, released, round};

#[tokio::test]
async fn a18_the_same_job_two_hundred_times_is_the_same_bytes_and_one_charge() {
    let shelf = Shelf::with_a_release().await;
    let first = shelf.sendable().await.unwrap();
    for _ in 0..200 {
        // Offered again, approved again, released again: whatever is done, the answer stands.
        assert!(!shelf.vault.job_insert(&new_job("chest-r1"), shelf.now()).await.unwrap());
        assert_eq!(shelf.commit(&released("chest-r1")).await, Ok(()));
        assert_eq!(shelf.sendable().await.as_ref(), Some(&first));
    }
    assert_eq!(shelf.vault.ledger_list().await.unwrap().len(), 1);
    assert_eq!(shelf.vault.ledger_mark(&site()).await.unwrap().entries, 1);
}

#[tokio::test]
async fn a19_after_a_crash_between_charge_and_send_the_charge_stands_and_the_bytes_are_sent() {
    let shelf = Shelf::with_a_release().await;
    let approved = shelf.sendable().await.unwrap();
    let reopened = shelf.opened_again().await;
    assert_eq!(shelf::sendable(&reopened).await, Some(approved));
    let history = reopened.history().await.unwrap();
    let earlier = &history.open_on_site().0[0];
    assert!(earlier.released && earlier.footprint.is_some(), "it is held against the next one");
    assert_eq!(reopened.ledger_list().await.unwrap().len(), 1);
}

fn mark(entries: u64, journal: &[u8]) -> LedgerMark {
    LedgerMark { site: site(), entries, head: Sha256Digest::of(journal) }
}

fn site() -> SiteId {
    "site-a".parse().unwrap()
}

#[tokio::test]
async fn a_ledger_that_lacks_entries_releases_nothing_until_a_steward_accepts() {
    let shelf = Shelf::with_a_result().await;
    let forgotten = mark(3, b"another journal");
    assert_eq!(shelf.vault.ledger_seen(&forgotten).await.unwrap(), 3, "this site signed for three");
    assert_eq!(shelf.commit(&released("chest-r1")).await, Err("LEDGER_ROLLED_BACK"));
    let reopened = shelf.opened_again().await;
    assert_eq!(reopened.ledger_missing().await.unwrap(), 3, "nor after a restart");

    assert_eq!(shelf.vault.ledger_accept("dr-no", shelf.now()).await.unwrap(), 3);
    assert_eq!(shelf.vault.ledger_accept("dr-no", shelf.now()).await.unwrap(), 0);
    assert_eq!(shelf.vault.ledger_seen(&forgotten).await.unwrap(), 0, "it was accepted");
    assert_eq!(shelf.commit(&released("chest-r1")).await, Ok(()));
    let next = shelf.vault.ledger_mark(&site()).await.unwrap();
    assert_eq!(next.entries, 4, "three forgotten and one");
    let journal = shelf.vault.journal_verify().await.unwrap();
    let accepted = Event::Accepted { approver: "dr-no".to_owned(), missing: 3 };
    assert_eq!(journal[0].event, accepted);
}

#[tokio::test]
async fn an_own_mark_is_known_and_one_of_another_journal_as_long_is_not() {
    let shelf = Shelf::with_a_release().await;
    let own = shelf.vault.ledger_mark(&site()).await.unwrap();
    assert_eq!(own.entries, 1);
    shelf.vault.sent_record(&round(), released("chest-r1").digest(), shelf.now()).await.unwrap();
    assert_eq!(shelf.vault.ledger_seen(&own).await.unwrap(), 0, "entries came after it");
    // Restored, and as many answers given before anybody connected.
    assert_eq!(shelf.vault.ledger_seen(&mark(1, b"before the fire")).await.unwrap(), 1);
}

#[tokio::test]
async fn an_answer_that_was_given_before_is_no_new_release() {
    let shelf = Shelf::with_a_release().await;
    shelf.vault.ledger_seen(&mark(5, b"another journal")).await.unwrap();
    let vetted = released("chest-r1");
    let approval = shelf::approval(&vetted);
    let again = shelf.vault.release_commit(&round(), &approval, shelf.now()).await;
    assert!(again.is_ok(), "{:?}", again.map_err(|error| error.code()));
}

#[tokio::test]
async fn what_the_ledger_remembers_of_a_cohort_cannot_be_exchanged() {
    let shelf = Shelf::with_a_release().await;
    assert!(shelf.vault.history().await.is_ok());
    shelf.tamper("UPDATE ledger SET footprint = NULL").await;
    let error = shelf.vault.history().await.unwrap_err();
    assert_eq!(error.code(), "JOURNAL_BROKEN");
}
