//! The database server: a small pool whose every commit waits for the server's disk.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::SqlStore;
use super::database::Database;
use super::open::{OpenError, ServerUrl};

/// Enough to keep the server's disk busy; many replicas share the server's connections.
const CONNECTIONS: u32 = 8;
/// How long a caller waits for a connection, also while the server restarts.
const ACQUIRE_SECONDS: u64 = 15;
/// How long a replica that starts waits for a server that starts with it.
const START_SECONDS: u64 = 60;

/// What a session is held to, whatever the server's own settings say: an acknowledged commit is on
/// the server's disk, a statement ends, and a replica that is gone holds no rows.
const SESSION: &str = "
    SET synchronous_commit = on;
    SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '60s';
    SET lock_timeout = '15s';
    SET idle_in_transaction_session_timeout = '30s'";

impl SqlStore {
    /// Connects to a PostgreSQL server and brings its schema up to date; of several that start at
    /// once, one does that while the others wait.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub async fn connect(url: &ServerUrl, password_file: Option<&Path>) -> Result<Self, OpenError> {
        let mut options = PgConnectOptions::from_str(url.as_str())
            // The driver's own words may repeat a part of the URL.
            .map_err(|_| OpenError::Address)?
            .application_name("fedval");
        if let Some(file) = password_file {
            let password = std::fs::read_to_string(file).map_err(OpenError::Password)?;
            options = options.password(password.trim_end_matches(['\r', '\n']));
        }
        migrate(options.clone()).await?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(ACQUIRE_SECONDS))
            .after_connect(|connection, _| {
                Box::pin(async move { sqlx::raw_sql(SESSION).execute(connection).await.map(drop) })
            })
            .connect_with(options)
            .await
            .map_err(OpenError::Server)?;
        Ok(Self { database: Database::Postgres(pool) })
    }
}

/// Over a connection of its own: a migration may take longer than a statement may.
async fn migrate(options: PgConnectOptions) -> Result<(), OpenError> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(START_SECONDS))
        .connect_with(options)
        .await
        .map_err(OpenError::Server)?;
    let migrated = sqlx::migrate!("./migrations/postgres").run(&pool).await;
    pool.close().await;
    migrated.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) => OpenError::Server(error),
        error => OpenError::Schema(error),
    })
}
