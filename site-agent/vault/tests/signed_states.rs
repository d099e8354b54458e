//! What others signed before this site is kept, in the order in which it came, and nobody takes it back.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod shelf;

use fedval_ambient::SeededEntropy;
use fedval_study::{LedgerMark, LogCheckpoint, ProtocolDigest, Sha256Digest, StudyId};
use fedval_trust::{Endorsement, SecretKey, log_checkpoint};
use fedval_vault::VersionSeen::{Newest, Older, Other};
use fedval_vault::{Vault, VersionSeen};
use shelf::{Shelf, new_job};
use sqlx::SqlitePool;

fn digest(text: &str) -> Sha256Digest {
    Sha256Digest::of(text.as_bytes())
}

fn state(entries: u64, root: &str) -> LogCheckpoint {
    LogCheckpoint { log: digest("consortium"), entries, root: digest(root) }
}

fn mark(entries: u64, head: &str) -> LedgerMark {
    LedgerMark { site: "site-a".parse().unwrap(), entries, head: digest(head) }
}

/// Somebody's signature, told from others by its seed.
fn endorsement(seed: u64) -> Endorsement {
    let key = SecretKey::generate(&SeededEntropy::new(seed));
    let signature = log_checkpoint::sign(&key, state(1, "something")).unwrap();
    Endorsement { certificate: format!("certificate {seed}"), signature }
}

async fn see(shelf: &Shelf, vault: &Vault, study: &str, version: u32, text: &str) -> VersionSeen {
    let study: StudyId = study.parse().unwrap();
    vault.protocol_see(&study, version, ProtocolDigest(digest(text)), shelf.now()).await.unwrap()
}

#[tokio::test]
async fn a47_no_study_goes_back_to_an_older_version_or_to_another_of_the_same_number() {
    let shelf = Shelf::empty().await;
    for (version, text) in [(1, "first"), (1, "first"), (3, "third")] {
        assert_eq!(see(&shelf, &shelf.vault, "chest", version, text).await, Newest);
    }
    let reopened = shelf.opened_again().await;
    for (version, text, expected) in [
        (1, "first", Older { newest: 3 }),
        // One that this site never saw, and never will.
        (2, "second", Older { newest: 3 }),
        (3, "another third", Other),
        (3, "third", Newest),
        (4, "fourth", Newest),
        (3, "third", Older { newest: 4 }),
    ] {
        assert_eq!(see(&shelf, &reopened, "chest", version, text).await, expected, "{text}");
    }
    assert_eq!(see(&shelf, &reopened, "bone", 1, "first").await, Newest, "each study by itself");
}

#[tokio::test]
async fn the_state_of_the_log_that_was_shown_last_is_known_and_every_other_is_found() {
    let shelf = Shelf::empty().await;
    let vault = &shelf.vault;
    assert_eq!(vault.log_state_last().await.unwrap(), None);
    let shown = [(5, "five", 1), (5, "five", 2), (9, "nine", 3), (5, "five", 4)];
    for (entries, root, seed) in shown {
        let now = shelf.now();
        vault.log_state_keep(state(entries, root), &endorsement(seed), now).await.unwrap();
        shelf.clock.advance_seconds(60);
    }
    let reopened = shelf.opened_again().await;
    let last = reopened.log_state_last().await.unwrap().unwrap();
    assert_eq!((last.checkpoint, &last.endorsement), (state(5, "five"), &endorsement(4)));
    let nine = reopened.log_state_find(9, digest("nine")).await.unwrap().unwrap();
    assert_eq!((nine.checkpoint, &nine.endorsement), (state(9, "nine"), &endorsement(3)));
    assert!(nine.seen_at < last.seen_at, "it went back afterwards");
    assert_eq!(reopened.log_state_find(9, digest("another nine")).await.unwrap(), None);
}

#[tokio::test]
async fn the_largest_mark_that_was_countersigned_stays_and_a_smaller_one_shows() {
    let shelf = Shelf::empty().await;
    let now = shelf.now();
    for (entries, head, goes_on) in
        [(1, "one", true), (4, "four", true), (4, "four", true), (2, "two", false)]
    {
        let (mark, signed) = (mark(entries, head), endorsement(7));
        let kept = shelf.vault.mark_countersigned(&mark, &signed, now).await.unwrap();
        assert_eq!(kept, goes_on, "{head}");
    }
    let largest = shelf.opened_again().await.countersigned_find().await.unwrap().unwrap();
    assert_eq!((largest.entries, largest.head), (4, digest("four")));
    assert_eq!(largest.endorsement, endorsement(7));
}

#[tokio::test]
async fn what_was_signed_is_neither_changed_nor_removed() {
    let shelf = Shelf::empty().await;
    let (vault, now) = (&shelf.vault, shelf.now());
    see(&shelf, vault, "chest", 2, "second").await;
    vault.log_state_keep(state(5, "five"), &endorsement(1), now).await.unwrap();
    vault.mark_countersigned(&mark(1, "one"), &endorsement(1), now).await.unwrap();
    let url = format!("sqlite://{}", shelf.file().display());
    let pool = SqlitePool::connect(&url).await.unwrap();
    for sql in [
        "UPDATE protocols_seen SET version = 1",
        "DELETE FROM protocols_seen",
        "UPDATE log_states SET entries = 4",
        "DELETE FROM log_states",
        "UPDATE countersigned_marks SET entries = 0",
        "DELETE FROM countersigned_marks",
    ] {
        let refused = sqlx::raw_sql(sql).execute(&pool).await;
        let told = refused.map(|_| ()).unwrap_err().to_string();
        assert!(told.contains("rows are only added"), "{sql}: {told}");
    }
    assert_eq!(see(&shelf, vault, "chest", 1, "first").await, Older { newest: 2 });
}

/// A vault of an earlier release learns from its jobs which versions were dispatched to it.
#[tokio::test]
async fn versions_of_jobs_that_are_there_already_count_as_seen() {
    let shelf = Shelf::with_a_job().await;
    let job = new_job("chest-r1");
    shelf
        .tamper(
            "DROP TRIGGER protocols_seen_stay; DROP TRIGGER protocols_seen_last;
             DROP TRIGGER log_states_stay; DROP TRIGGER log_states_last;
             DROP TRIGGER countersigned_marks_stay; DROP TRIGGER countersigned_marks_last;
             DROP TABLE protocols_seen; DROP TABLE log_states; DROP TABLE countersigned_marks;
             DELETE FROM _sqlx_migrations WHERE version = 5",
        )
        .await;
    let upgraded = shelf.opened_again().await;
    assert_eq!(see(&shelf, &upgraded, "chest", 1, "another first").await, Other);
    let (study, protocol) = (&job.dispatch.study, job.dispatch.protocol);
    assert_eq!(upgraded.protocol_see(study, 1, protocol, shelf.now()).await.unwrap(), Newest);
}
