//! The conformance suite over the embedded store, and what only a file can do.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod conformance;

use std::sync::Arc;

use conformance::{at, dispatched, key, stored_result, suite, token};
use fedval_ambient::Problem as _;
use fedval_core::Store;
use fedval_core::port::{OperatorRow, Phase};
use fedval_store::SqliteStore;
use tempfile::TempDir;

/// A store in a folder that lives as long as it.
struct Opened {
    store: Arc<dyn Store>,
    folder: TempDir,
}

async fn open() -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("fedval.db")).await.unwrap();
    Opened { store: Arc::new(store), folder }
}

suite!(open);

/// Everything that can be read, in one text.
async fn everything(store: &dyn Store) -> String {
    let mut found = vec![
        format!("{:?}", store.site_list().await.unwrap()),
        format!("{:?}", store.invitation_find(&token("pending"), at(0)).await.unwrap()),
        format!("{:?}", store.operator_by_key(&key(99)).await.unwrap()),
        format!("{:?}", store.study_list().await.unwrap()),
    ];
    for study in store.study_list().await.unwrap() {
        for round in store.round_list(&study.study).await.unwrap() {
            found.push(format!("{round:?}"));
            found.push(format!("{:?}", store.dispatch_list(&round.round).await.unwrap()));
            found.push(format!("{:?}", store.result_list(&round.round).await.unwrap()));
        }
    }
    found.join("\n")
}

#[tokio::test]
async fn reopening_the_file_keeps_everything() {
    let Opened { store, folder } = open().await;
    let (round, sites) = dispatched(store.as_ref(), &["site-a", "site-b"]).await;
    store.dispatch_set_phase(&round.round, &sites[0], Phase::Sent).await.unwrap();
    store.lease_grant(&round.round, &sites[0], at(5)).await.unwrap();
    store.result_insert(&stored_result(&round, &sites[0], "result")).await.unwrap();
    store.round_close(&round.round, at(200)).await.unwrap();
    store.site_revoke(&sites[1]).await.unwrap();
    store.invitation_insert(&sites[1], &token("pending"), at(60)).await.unwrap();
    let operator = OperatorRow { name: "ada".parse().unwrap(), key: key(99) };
    store.operator_put(&operator).await.unwrap();
    let before = everything(store.as_ref()).await;
    drop(store);

    let reopened = SqliteStore::open(&folder.path().join("fedval.db")).await.unwrap();
    assert_eq!(everything(&reopened).await, before);
    for part in ["site-a", "Sent", "lease_epoch: 1", "ada", "Some(SiteId(\"site-b\"))"] {
        assert!(before.contains(part), "{part} is not in {before}");
    }
}

#[tokio::test]
async fn two_processes_on_one_file_see_each_other() {
    let Opened { store, folder } = open().await;
    let other = SqliteStore::open(&folder.path().join("fedval.db")).await.unwrap();
    dispatched(store.as_ref(), &["site-a"]).await;
    assert_eq!(everything(&other).await, everything(store.as_ref()).await);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fedval.db");
    std::fs::write(&file, "these are the minutes of a meeting, not a database").unwrap();
    let refused = SqliteStore::open(&file).await.unwrap_err();
    assert_eq!(refused.code(), "STORE_NOT_OPENED");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("these are the minutes"));
}
