//! The conformance suite over the embedded store, and what only a file can do.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod conformance;

use conformance::{Embedded, at, dispatched, embedded, invitation, key, stored_result, suite};
use fedval_ambient::Problem as _;
use fedval_core::port::{OperatorRow, Phase, SnapshotStore as _};
use fedval_store::SqlStore;

suite!(embedded);

#[tokio::test]
async fn reopening_the_file_keeps_everything() {
    let Embedded { store, folder } = embedded().await;
    let (round, sites) = dispatched(store.as_ref(), &["site-a", "site-b"]).await;
    store.dispatch_set_phase(&round.round, &sites[0], Phase::Sent).await.unwrap();
    store.result_insert(&stored_result(&round, &sites[0], "result"), 0).await.unwrap();
    store.round_close(&round.round, at(200)).await.unwrap();
    store.site_revoke(&sites[1]).await.unwrap();
    store.invitation_insert(&invitation("site-b", 3)).await.unwrap();
    let operator = OperatorRow { name: "ada".parse().unwrap(), key: key(99) };
    store.operator_put(&operator).await.unwrap();
    let before = store.snapshot_read().await.unwrap();
    drop(store);

    let reopened = SqlStore::open(&folder.path().join("fedval.db")).await.unwrap();
    assert_eq!(reopened.snapshot_read().await.unwrap(), before);
    assert_eq!((before.sites.len(), before.invitations.len(), before.results.len()), (2, 3, 1));
}

#[tokio::test]
async fn two_processes_on_one_file_see_each_other() {
    let Embedded { store, folder } = embedded().await;
    let other = SqlStore::open(&folder.path().join("fedval.db")).await.unwrap();
    dispatched(store.as_ref(), &["site-a"]).await;
    let seen = other.snapshot_read().await.unwrap();
    assert_eq!(seen, store.snapshot_read().await.unwrap());
    assert_eq!(seen.dispatches.len(), 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fedval.db");
    std::fs::write(&file, "these are the minutes of a meeting, not a database").unwrap();
    let refused = SqlStore::open(&file).await.unwrap_err();
    assert_eq!(refused.code(), "STORE_NOT_OPENED");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("these are the minutes"));
}
