//! The conformance suite over the embedded store, and what only a file can do.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod conformance;

use std::fs;
use std::path::{Path, PathBuf};

use conformance::{
    Embedded, at, connected, dispatched, embedded, endorsement, invitation, key, stored_result,
    suite,
};
use fedval_ambient::Problem as _;
use fedval_core::port::{ChangeStore as _, InvitationState, PersonRow, Phase, SnapshotStore as _};
use fedval_store::SqlStore;
use fedval_study::{PersonRole, Sha256Digest};
use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;

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
    let operator =
        PersonRow { name: "ada".parse().unwrap(), role: PersonRole::Operator, key: key(99) };
    store.person_put(&operator).await.unwrap();
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

/// The migrations, in order. A released one is never changed: databases know its digest.
const MIGRATIONS: [&str; 7] = [
    include_str!("../migrations/sqlite/0001_initial.sql"),
    include_str!("../migrations/sqlite/0002_sessions.sql"),
    include_str!("../migrations/sqlite/0003_ledger_marks.sql"),
    include_str!("../migrations/sqlite/0004_log.sql"),
    include_str!("../migrations/sqlite/0005_roles.sql"),
    include_str!("../migrations/sqlite/0006_people.sql"),
    include_str!("../migrations/sqlite/0007_protocols.sql"),
];
const RELEASED: [&str; 1] = ["5656260c19d254e0452be2431d2cc24320476a42157c47dfec4e8cd4d9f109bf"];

#[test]
fn released_migrations_never_change() {
    for (text, digest) in MIGRATIONS.iter().zip(RELEASED) {
        assert_eq!(Sha256Digest::of(text.as_bytes()).to_string(), digest);
    }
}

#[tokio::test]
async fn every_column_is_commented() {
    let Embedded { store, folder } = embedded().await;
    drop(store);
    let options = SqliteConnectOptions::new().filename(folder.path().join("fedval.db"));
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_%' ESCAPE '\\'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(columns.len() > 40, "{columns:?}");
    for column in columns {
        let begins = format!("    {column} ");
        let lines = MIGRATIONS.iter().flat_map(|text| text.lines());
        let mut lines = lines.filter(|line| line.starts_with(&begins)).peekable();
        assert!(lines.peek().is_some(), "{column} is in no migration");
        assert!(lines.all(|line| line.contains(" -- ")), "{column} lacks a comment");
    }
}

/// A database as the first release left it, with a site that held a lease and answered.
async fn first_release(folder: &Path) -> PathBuf {
    let (migrations, file) = (folder.join("migrations"), folder.join("fedval.db"));
    fs::create_dir(&migrations).unwrap();
    fs::write(migrations.join("0001_initial.sql"), MIGRATIONS[0]).unwrap();
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    Migrator::new(migrations.as_path()).await.unwrap().run(&pool).await.unwrap();
    let endorsement = serde_json::to_string(&endorsement(1)).unwrap();
    let rows = format!(
        "INSERT INTO sites VALUES ('site-a', 'enrolled', x'{key}', 'pem');
         INSERT INTO invitations VALUES (x'{one}', 'site-a', 60000, 50000);
         INSERT INTO invitations VALUES (x'{two}', 'site-a', 60000, NULL);
         INSERT INTO studies VALUES ('chest', 'locked', x'01', '[]');
         INSERT INTO rounds VALUES ('chest-r1', 'chest', 1, 1000, NULL);
         INSERT INTO dispatches VALUES
             ('chest-r1', 'site-a', x'02', '{endorsement}', 2000, 'sent', 7, 3000);
         INSERT INTO results VALUES
             ('chest-r1', 'site-a', x'03', x'{one}', '{endorsement}', 4000);",
        key = "0a".repeat(32),
        one = "01".repeat(32),
        two = "02".repeat(32),
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(rows)).execute(&pool).await.unwrap();
    pool.close().await;
    file
}

#[tokio::test]
async fn a_database_of_the_first_release_is_brought_up_to_date_and_keeps_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&first_release(folder.path()).await).await.unwrap();
    let snapshot = store.snapshot_read().await.unwrap();
    assert_eq!((snapshot.results.len(), snapshot.dispatches.len()), (1, 1));
    assert_eq!(snapshot.rounds[0].deadline_at, None);
    assert_eq!(
        (snapshot.rounds[0].protocol_version, snapshot.studies[0].locked[0].version),
        (1, 1)
    );
    let states: Vec<_> = snapshot.invitations.iter().map(|row| row.state.clone()).collect();
    assert_eq!(states, [InvitationState::Replaced, InvitationState::Replaced]);
    let site = snapshot.sites[0].0.site.clone();
    assert_eq!(snapshot.epochs, [(site.clone(), 7)], "epochs go on where leases stood");
    assert_eq!(connected(&store, &site, 1).await, 8);
    assert_eq!(store.change_count().await.unwrap(), 0);
}
