//! The conformance suite over a PostgreSQL server, and what only a server can do.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod conformance;
#[path = "support/postgres.rs"]
mod server;

use std::path::Path;
use std::sync::Arc;

use conformance::{at, dispatched, race, stored_result, suite};
use fedval_ambient::Problem as _;
use fedval_core::Store;
use fedval_core::port::Inserted;
use fedval_store::{OpenError, StoreConfig, store_open};
use server::PostgresServer;

/// The database that every server begins with.
const DATABASE: &str = "postgres";

/// A store on a server that lives as long as it.
struct Served {
    store: Arc<dyn Store>,
    server: PostgresServer,
}

async fn open(url: &str, password_file: Option<&Path>) -> Result<Arc<dyn Store>, OpenError> {
    let config = StoreConfig::parse(Some(url), password_file, Path::new("/")).unwrap();
    store_open(&config).await
}

async fn served() -> Served {
    let server = PostgresServer::start();
    let store = open(&server.url(DATABASE), None).await.unwrap();
    Served { store, server }
}

suite!(served);

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_find_one_schema() {
    let server = PostgresServer::start();
    let stores = race(|_| {
        let url = server.url(DATABASE);
        async move { open(&url, None).await.unwrap() }
    })
    .await;
    let (round, _) = dispatched(stores[0].as_ref(), &["site-a"]).await;
    for store in &stores {
        assert_eq!(store.dispatch_list(&round.round).await.unwrap().len(), 1);
        assert_eq!(store.change_count().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn every_table_and_column_is_commented() {
    let Served { server, .. } = served().await;
    let ask = |from_where: &str| server.ask(DATABASE, from_where);
    let columns = "FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
          AND NOT a.attisdropped AND c.relname <> '_sqlx_migrations'";
    let missing = ask(&format!(
        "SELECT c.relname, a.attname {columns} AND col_description(c.oid, a.attnum) IS NULL"
    ));
    assert_eq!(missing, "");
    let missing = ask("SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
          AND relname <> '_sqlx_migrations' AND obj_description(oid) IS NULL");
    assert_eq!(missing, "");
    assert!(ask(&format!("SELECT count(*) {columns}")).parse::<u32>().unwrap() > 40);
}

#[tokio::test]
async fn an_acknowledged_commit_waits_for_the_disk_whatever_the_server_is_set_to() {
    let server = PostgresServer::start();
    server.ask(DATABASE, "ALTER SYSTEM SET synchronous_commit = off");
    server.ask(DATABASE, "SELECT pg_reload_conf()");
    assert_eq!(server.ask(DATABASE, "SHOW synchronous_commit"), "off");
    let store = open(&server.url(DATABASE), None).await.unwrap();
    // The server itself writes the setting of each session that inserts into a row.
    server.ask(
        DATABASE,
        "CREATE TABLE seen (setting text);
         CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN INSERT INTO seen SELECT current_setting('synchronous_commit'); RETURN NEW; END $$;
         CREATE TRIGGER see AFTER INSERT ON results FOR EACH ROW EXECUTE FUNCTION see()",
    );
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    let result = stored_result(&round, &sites[0], "result");
    assert_eq!(store.result_insert(&result, 0).await.unwrap(), Inserted::New);
    assert_eq!(server.ask(DATABASE, "SELECT setting FROM seen"), "on");
}

#[tokio::test]
async fn a_password_comes_from_a_file_and_is_never_shown() {
    let server = PostgresServer::start();
    let (url, file) = (server.tcp_url(DATABASE), server.password_file());
    open(&url, Some(&file)).await.unwrap();

    let absent = open(&url, Some(Path::new("/absent"))).await.unwrap_err();
    assert_eq!(absent.code(), "STORE_PASSWORD");
    let secret = "s3cret-horse";
    let wrong = url.replace("fedval@", &format!("fedval:{secret}@"));
    let refused = open(&wrong, None).await.unwrap_err();
    assert_eq!(refused.code(), "STORE_NOT_REACHED");
    let malformed = open(&wrong.replace("127.0.0.1:", "127.0.0.1:port"), None).await.unwrap_err();
    assert_eq!(malformed.code(), "STORE_ADDRESS");
    let config = StoreConfig::parse(Some(&wrong), None, Path::new("/")).unwrap();
    for shown in [format!("{refused:?}{refused}"), format!("{malformed:?}"), format!("{config:?}")]
    {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn another_version_s_schema_is_refused() {
    let Served { store, server } = served().await;
    drop(store);
    server.ask(
        DATABASE,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', true, '', 0)",
    );
    let refused = open(&server.url(DATABASE), None).await.unwrap_err();
    assert_eq!(refused.code(), "STORE_SCHEMA");
}

#[tokio::test]
async fn a_deadlock_that_the_server_breaks_is_run_again() {
    let Served { store, server } = served().await;
    let (round, _) = dispatched(store.as_ref(), &["site-a"]).await;
    // The first two closes are chosen as victims: counted by a sequence, which no undoing takes back.
    server.ask(
        DATABASE,
        "CREATE SEQUENCE closes;
         CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('closes') <= 2 THEN RAISE EXCEPTION 'chosen' USING ERRCODE = '40P01'; END IF;
             RETURN NEW; END $$;
         CREATE TRIGGER undo BEFORE UPDATE ON rounds FOR EACH ROW EXECUTE FUNCTION undo()",
    );
    let before = store.change_count().await.unwrap();
    assert!(store.round_close(&round.round, at(50)).await.unwrap());
    assert_eq!(server.ask(DATABASE, "SELECT last_value FROM closes"), "3");
    assert_eq!(store.change_count().await.unwrap(), before + 1);
}

#[tokio::test]
async fn a_server_that_ends_in_the_middle_is_an_error_and_not_a_hang() {
    let Served { store, server } = served().await;
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    drop(server);
    let result = stored_result(&round, &sites[0], "result");
    let failed = store.result_insert(&result, 0).await.unwrap_err();
    assert_eq!((failed.code(), failed.operation), ("STORE_UNAVAILABLE", "result_insert"));
}
