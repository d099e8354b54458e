//! Everything durable but artifacts, in SQLite or in PostgreSQL: one resource a module.
//!
//! The statements are the same for both; what differs is in `database`. They begin with the name of
//! the port's method, so that a database's own log of slow statements names it.
//!
//! Rows are locked in one order, so that PostgreSQL never has to break a deadlock in ordinary use:
//! site, invitation, session; round, dispatch; and the counter of changes last.

mod change;
mod credential;
mod database;
mod dispatch;
mod electronic_signature;
mod invitation;
mod ledger_mark;
mod log;
mod open;
mod pass;
mod person;
mod postgres;
mod result;
mod round;
mod row;
mod session;
mod site;
mod snapshot;
mod sqlite;
mod study;

use fedval_core::port::StoreError;
use sqlx::Error;

use database::{Database, Row, Transaction, Value};

pub use open::{OpenError, ServerUrl, StoreConfig, store_open};

/// How often a transaction that the database gave up for another's sake is run at most.
const MOST_ATTEMPTS: u32 = 10;

/// The store, in an embedded file or on a database server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SqlStore {
    database: Database,
}

impl SqlStore {
    /// Runs an operation of the port, again where the database chose it as the victim of a deadlock
    /// and undid it. Nothing else is tried again: an error may hide a commit, and it is the caller's
    /// to ask again for what is safe to repeat.
    async fn during<T, F, R>(&self, operation: &'static str, run: F) -> Result<T, StoreError>
    where
        F: Fn() -> R + Send + Sync,
        R: Future<Output = Result<T, Error>> + Send,
    {
        let mut attempts = 1;
        loop {
            match run().await {
                Err(error) if database::was_undone(&error) && attempts < MOST_ATTEMPTS => {
                    attempts += 1;
                }
                answer => return answer.map_err(StoreError::during(operation)),
            }
        }
    }

    /// Begins a transaction that writes.
    async fn begin(&self) -> Result<Transaction, Error> {
        self.database.begin().await
    }

    /// One statement that writes, in a transaction of its own: how many rows it wrote.
    async fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, Error> {
        self.database.execute(sql, values).await
    }

    /// The rows of one statement that reads.
    async fn rows(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        self.database.rows(sql, values).await
    }

    /// The first row of one statement that reads.
    async fn row(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }
}
