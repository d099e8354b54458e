//! The journal: whoever changes by hand what was written is found out, and gets nothing sent.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod shelf;

use fedval_ambient::{Exit, Problem as _};
use fedval_disclosure::{Releasable, ReleaseError, SiteLocal};
use fedval_study::Sha256Digest;
use fedval_study::summary::FailureReason;
use fedval_vault::{CaseOutcome, Checkpoint, Culprit, Event, VaultError};
use shelf::{Shelf, insufficient, released, released_beside, round};

/// Entries of a history of three sent results and a committed one.
const ENTRIES: i64 = 7;

/// Asserts that the vault says `JOURNAL_BROKEN` and yields nothing that could be sent.
async fn is_found_out(shelf: &Shelf, what: &str) -> i64 {
    let Err(error) = shelf.vault.journal_verify().await else { panic!("not found out: {what}") };
    assert_eq!((error.code(), error.exit()), ("JOURNAL_BROKEN", Exit::AnswerIsNo), "{what}");
    let minted = Releasable::from_ledger(&shelf.vault, &round()).await;
    assert!(
        matches!(minted, Err(ReleaseError::Ledger(VaultError::JournalBroken { .. }))),
        "{what}"
    );
    let VaultError::JournalBroken { sequence } = error else { panic!("{what}") };
    sequence
}

#[tokio::test]
async fn an_untouched_journal_holds_after_many_events() {
    let shelf = Shelf::with_a_history(20).await;
    let entries = shelf.opened_again().await.journal_verify().await.unwrap();
    let sequences: Vec<i64> = entries.iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, (1..=41).collect::<Vec<_>>());
    assert!(entries.is_sorted_by_key(|entry| entry.at_ms));
}

#[tokio::test]
async fn an_empty_journal_holds() {
    assert!(Shelf::with_a_result().await.vault.journal_verify().await.unwrap().is_empty());
}

#[tokio::test]
async fn verifying_while_another_process_releases_finds_nothing_wrong() {
    let shelf = Shelf::empty().await;
    let there = shelf.opened_again().await;
    let release = async {
        for index in 1..=30 {
            let name = format!("chest-r{index}");
            shelf.vault.job_insert(&shelf::new_job(&name), shelf.now()).await.unwrap();
            let vetted = released_beside(&name, &shelf.vault.history().await.unwrap());
            shelf.put(&vetted).await;
            shelf.commit(&vetted).await.unwrap();
        }
    };
    let verify = async {
        let mut seen = 0;
        while seen < 30 {
            seen = there.journal_verify().await.unwrap().len();
        }
    };
    tokio::join!(release, verify);
}

#[tokio::test]
async fn a_changed_or_missing_entry_is_found_where_it_stands() {
    for (sql, sequence) in [
        ("UPDATE journal SET entry = replace(entry, 'dr-no', 'dr-xx') WHERE sequence = 3", 3),
        ("UPDATE journal SET hash = zeroblob(32) WHERE sequence = 5", 5),
        ("UPDATE journal SET hash = x'00' WHERE sequence = 5", 5),
        ("UPDATE journal SET entry = 'no entry' WHERE sequence = 2", 2),
        ("DELETE FROM journal WHERE sequence = 1", 1),
        ("DELETE FROM journal WHERE sequence = 4", 4),
        ("DELETE FROM journal WHERE sequence = 7", ENTRIES),
        ("DELETE FROM journal", 1),
    ] {
        let shelf = Shelf::with_a_history(3).await;
        shelf.tamper(sql).await;
        assert_eq!(is_found_out(&shelf, sql).await, sequence, "{sql}");
    }
}

#[tokio::test]
async fn the_last_entry_cannot_be_dropped_whatever_it_says() {
    let shelf = Shelf::with_a_release().await;
    let digest = released("chest-r1").digest();
    shelf.vault.sent_record(&round(), digest, shelf.now()).await.unwrap();
    shelf.tamper("DELETE FROM journal WHERE sequence = 2").await;
    assert_eq!(is_found_out(&shelf, "the acknowledgement is gone").await, 2);
}

#[tokio::test]
async fn a_changed_ledger_is_found_out() {
    let other = insufficient("chest-r1");
    let bytes = std::str::from_utf8(other.bytes()).unwrap();
    let digest = other.digest().0;
    let consistent = format!(
        "UPDATE ledger SET result = CAST('{bytes}' AS BLOB), digest = x'{digest}', outcome = 'insufficient'
         WHERE round_id = 'chest-r1'"
    );
    let bytes_only =
        format!("UPDATE ledger SET result = CAST('{bytes}' AS BLOB) WHERE round_id = 'chest-r1'");
    for sql in [
        consistent.as_str(),
        bytes_only.as_str(),
        "UPDATE ledger SET result = x'00'",
        "UPDATE ledger SET digest = zeroblob(32) WHERE round_id = 'chest-r2'",
        "UPDATE ledger SET digest = x'00'",
        "UPDATE ledger SET cohort = zeroblob(32)",
        "UPDATE ledger SET cohort = NULL",
        "UPDATE ledger SET model = zeroblob(32)",
        "UPDATE ledger SET protocol = zeroblob(32)",
        "UPDATE ledger SET study_id = 'other'",
        "UPDATE ledger SET outcome = 'refused'",
        "UPDATE ledger SET bits = 1",
        "UPDATE ledger SET approver = 'policy'",
        "UPDATE ledger SET committed_at_ms = 0",
        "UPDATE ledger SET round_id = 'chest-r9' WHERE round_id = 'chest-r4'",
        "DELETE FROM ledger WHERE round_id = 'chest-r4'",
        "DELETE FROM ledger WHERE round_id = 'chest-r1'",
    ] {
        let shelf = Shelf::with_a_history(3).await;
        shelf.tamper(sql).await;
        is_found_out(&shelf, sql).await;
    }
}

#[tokio::test]
async fn a_row_that_was_slipped_into_the_ledger_is_found_out() {
    let shelf = Shelf::with_a_result().await;
    shelf
        .tamper(
            "INSERT INTO ledger
             SELECT v.round_id, 'chest', zeroblob(32), zeroblob(32), NULL, 'released', v.result,
                    v.digest, v.bits, 'nobody', 0, v.footprint, 0
             FROM vetted v",
        )
        .await;
    assert_eq!(is_found_out(&shelf, "a slipped row").await, 1);
}

#[tokio::test]
async fn an_entry_that_was_appended_with_a_right_hash_does_not_cover_a_slipped_row() {
    let shelf = Shelf::with_a_result().await;
    let digest = released("chest-r1").digest();
    let entry = format!(
        r#"{{"at_ms":0,"event":{{"committed":{{"approver":"x","bits":1,"result":"{digest}","round":"chest-r1"}}}},"sequence":1}}"#
    );
    let genesis = Sha256Digest::of(b"fedval journal v1");
    let hash = Sha256Digest::of(&[&genesis.as_bytes()[..], entry.as_bytes()].concat());
    shelf.tamper(&format!("INSERT INTO journal VALUES (1, '{entry}', x'{hash}')")).await;
    assert_eq!(is_found_out(&shelf, "an entry about nothing").await, 2);
}

#[tokio::test]
async fn a30_a_forbidden_call_stands_in_the_chain_once_for_a_job_and_culprit() {
    let shelf = Shelf::with_a_job().await;
    let case = |outcome| {
        SiteLocal::new(Checkpoint {
            row: Sha256Digest::of(b"row"),
            outcome,
            attributes: [].into(),
            image: None,
        })
    };
    let failed = case(CaseOutcome::Failed(FailureReason::Undecodable));
    shelf.vault.checkpoint_put(&round(), 0, &failed).await.unwrap();
    assert!(!shelf.vault.forbidden_files_record(&round(), shelf.now()).await.unwrap());
    for index in [1, 2] {
        shelf.vault.checkpoint_put(&round(), index, &case(CaseOutcome::Forbidden)).await.unwrap();
    }
    let again = shelf.opened_again().await;
    assert!(shelf.vault.forbidden_files_record(&round(), shelf.now()).await.unwrap());
    assert!(!again.forbidden_files_record(&round(), shelf.now()).await.unwrap(), "it is known");
    let model = Culprit::Model;
    assert!(again.forbidden_record(&round(), model, shelf.now()).await.unwrap());
    assert!(!shelf.vault.forbidden_record(&round(), model, shelf.now()).await.unwrap());
    let other = "chest-r2".parse().unwrap();
    assert!(shelf.vault.forbidden_record(&other, model, shelf.now()).await.unwrap());

    let entries = shelf.vault.journal_verify().await.unwrap();
    let events: Vec<_> = entries.into_iter().map(|entry| entry.event).collect();
    let of = |round: &str, by| Event::Forbidden { round: round.parse().unwrap(), by };
    let expected = [of("chest-r1", Culprit::File), of("chest-r1", model), of("chest-r2", model)];
    assert_eq!(events, expected);
    let sql = "UPDATE journal SET entry = replace(entry, 'model', 'file') WHERE sequence = 2";
    shelf.tamper(sql).await;
    assert_eq!(is_found_out(&shelf, sql).await, 2);
}
