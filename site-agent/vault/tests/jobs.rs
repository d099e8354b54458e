//! Jobs: recorded once, moved by whoever comes first, cancelled before they are answered.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod shelf;

use std::os::unix::fs::PermissionsExt as _;

use fedval_disclosure::NoAggregates;
use fedval_study::ResultDigest;
use fedval_vault::{JobState, NewJob};
use shelf::{Shelf, new_job, plain, released, round};

#[tokio::test]
async fn a_round_is_recorded_once_and_a_second_offer_changes_nothing() {
    let shelf = Shelf::with_a_job().await;
    let offered_at = shelf.now();
    shelf.clock.advance_seconds(60);
    let changed = NewJob { protocol: b"another protocol".to_vec(), ..new_job("chest-r1") };
    assert!(!shelf.vault.job_insert(&changed, shelf.now()).await.unwrap());
    let job = shelf.job(&round()).await;
    assert_eq!(job.protocol, new_job("chest-r1").protocol);
    assert_eq!(job.dispatch, new_job("chest-r1").dispatch);
    assert_eq!((job.offered_at, job.state, job.lease_epoch), (offered_at, JobState::Offered, 0));
}

#[tokio::test]
async fn jobs_are_listed_in_the_order_they_came_and_an_unknown_one_is_not_found() {
    let shelf = Shelf::empty().await;
    for name in ["b-r1", "a-r1", "c-r1"] {
        shelf.vault.job_insert(&new_job(name), shelf.now()).await.unwrap();
        shelf.clock.advance_seconds(1);
    }
    let jobs = shelf.vault.job_list().await.unwrap();
    let names: Vec<&str> = jobs.iter().map(|job| job.round().as_str()).collect();
    assert_eq!(names, ["b-r1", "a-r1", "c-r1"]);
    assert!(shelf.vault.job_find(&round()).await.unwrap().is_none());
}

#[tokio::test]
async fn of_two_who_move_a_job_exactly_one_does() {
    for _ in 0..20 {
        let shelf = Shelf::with_a_job().await;
        let (here, there) = (shelf.vault.clone(), shelf.opened_again().await);
        let (round, now) = (round(), shelf.now());
        let approve = here.job_move(&round, JobState::Offered, JobState::Approved, now);
        let again = there.job_move(&round, JobState::Offered, JobState::Approved, now);
        let (first, second) = tokio::join!(approve, again);
        assert!(first.unwrap() != second.unwrap());
        assert_eq!(shelf.state().await, JobState::Approved);
    }
}

#[tokio::test]
async fn a_job_moves_only_from_the_state_it_is_in() {
    let shelf = Shelf::with_a_job().await;
    let (round, now) = (round(), shelf.now());
    let vault = &shelf.vault;
    assert!(!vault.job_move(&round, JobState::Approved, JobState::Running, now).await.unwrap());
    assert_eq!(shelf.state().await, JobState::Offered);
}

#[tokio::test]
async fn notes_and_leases_stay_with_the_job() {
    let shelf = Shelf::with_a_job().await;
    shelf.vault.job_note(&round(), "MANIFEST_INVALID").await.unwrap();
    shelf.vault.job_set_lease(&round(), 7).await.unwrap();
    let job = shelf.opened_again().await.job_find(&round()).await.unwrap().unwrap();
    assert_eq!((job.note.as_deref(), job.lease_epoch), (Some("MANIFEST_INVALID"), 7));
}

#[tokio::test]
async fn what_delays_a_job_is_forgotten_once_it_goes_on_and_the_note_is_not() {
    let shelf = Shelf::with_a_job().await;
    shelf.vault.job_note(&round(), "MANIFEST_INVALID").await.unwrap();
    shelf.vault.job_delay(&round(), Some("UNREACHABLE")).await.unwrap();
    let codes = async || {
        let job = shelf.vault.job_find(&round()).await.unwrap().unwrap();
        (job.note.unwrap_or_default(), job.delay.unwrap_or_default())
    };
    assert_eq!(codes().await, ("MANIFEST_INVALID".to_owned(), "UNREACHABLE".to_owned()));
    let (from, to) = (JobState::Offered, JobState::Approved);
    shelf.vault.job_move(&round(), from, to, shelf.now()).await.unwrap();
    assert_eq!(codes().await, ("MANIFEST_INVALID".to_owned(), String::new()));
}

#[tokio::test]
async fn a_job_is_cancelled_in_any_state_before_it_is_answered() {
    use JobState::{Approved, AwaitingRelease, Offered, Running};
    for state in [Offered, Approved, Running, AwaitingRelease] {
        let shelf = Shelf::with_a_job().await;
        shelf.vault.job_move(&round(), Offered, state, shelf.now()).await.unwrap();
        assert!(shelf.vault.job_cancel(&round(), shelf.now()).await.unwrap());
        assert_eq!(shelf.state().await, JobState::Cancelled);
        assert!(!shelf.put(&released("chest-r1")).await, "its result is not wanted any more");
    }
}

#[tokio::test]
async fn an_answered_job_cannot_be_cancelled() {
    let shelf = Shelf::with_a_release().await;
    assert!(!shelf.vault.job_cancel(&round(), shelf.now()).await.unwrap());
    assert_eq!(shelf.state().await, JobState::Released);
    let digest: ResultDigest = released("chest-r1").digest();
    shelf.vault.sent_record(&round(), digest, shelf.now()).await.unwrap();
    assert!(!shelf.vault.job_cancel(&round(), shelf.now()).await.unwrap());
    assert_eq!(shelf.state().await, JobState::Sent);
}

#[tokio::test]
async fn a_result_of_a_job_that_was_cancelled_or_declined_while_it_ran_is_not_stored() {
    let cancelled = Shelf::with_a_job().await;
    cancelled.vault.job_cancel(&round(), cancelled.now()).await.unwrap();
    let declined = Shelf::with_a_job().await;
    let refusal = plain("chest-r1", NoAggregates::Refused);
    declined.vault.refusal_commit(&refusal, "dr-no", declined.now()).await.unwrap();
    for shelf in [cancelled, declined] {
        let before = shelf.vault.vetted_find(&round()).await.unwrap();
        let result = released("chest-r1");
        let vault = &shelf.vault;
        assert!(!vault.vetted_put(&result, shelf.now()).await.unwrap());
        assert_eq!(vault.vetted_find(&round()).await.unwrap(), before);
    }
}

#[tokio::test]
async fn the_file_and_its_journals_are_readable_by_their_owner_alone() {
    let shelf = Shelf::with_a_result().await;
    let folder = shelf.file().parent().unwrap().to_path_buf();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{entry:?}");
        names.push(entry.file_name());
    }
    assert!(names.iter().any(|name| name == "vault.db-wal"), "{names:?}");
}

#[tokio::test]
async fn a_vault_of_a_later_version_is_not_touched() {
    use fedval_ambient::{Exit, Problem as _};
    let shelf = Shelf::empty().await;
    shelf
        .tamper(
            "INSERT INTO _sqlx_migrations
                 (version, description, installed_on, success, checksum, execution_time)
             VALUES (999, 'of tomorrow', '2030-01-01', 1, x'00', 0)",
        )
        .await;
    let error = fedval_vault::Vault::open(&shelf.file()).await.unwrap_err();
    assert_eq!((error.code(), error.exit()), ("VAULT_SCHEMA", Exit::Machine));
    assert!(error.remedy().unwrap().contains("version"));
}

#[test]
fn processes_that_open_a_new_vault_at_the_same_moment_all_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vault.db");
    let open = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(fedval_vault::Vault::open(&file)).map(drop)
    };
    std::thread::scope(|scope| {
        let opening: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        for opened in opening {
            opened.join().unwrap().unwrap();
        }
    });
}
