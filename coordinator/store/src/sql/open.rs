//! Opening a store: a file, or a database server by URL.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedval_ambient::{Exit, Problem};
use fedval_core::Store;

use super::SqlStore;

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreConfig {
    /// In an embedded database file.
    File(PathBuf),
    /// On a PostgreSQL server.
    Server {
        /// Its URL.
        url: ServerUrl,
        /// A file that holds the password and nothing else.
        password_file: Option<PathBuf>,
    },
}

/// The URL of a database server. It may hold a password, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl(String);

impl ServerUrl {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerUrl(..)")
    }
}

impl StoreConfig {
    /// Reads an address: `sqlite:PATH`, where a relative path begins in `folder`, or
    /// `postgres://USER@HOST:PORT/DATABASE`. Without one: the file `fedval.db` in `folder`.
    ///
    /// # Errors
    ///
    /// [`OpenError::Address`] for anything else.
    pub fn parse(
        address: Option<&str>,
        password_file: Option<&Path>,
        folder: &Path,
    ) -> Result<Self, OpenError> {
        let Some(address) = address else { return Ok(Self::File(folder.join("fedval.db"))) };
        if let Some(path) = address.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Self::File(folder.join(path)));
        }
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            let password_file = password_file.map(|file| folder.join(file));
            return Ok(Self::Server { url: ServerUrl(address.to_owned()), password_file });
        }
        Err(OpenError::Address)
    }
}

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address is none that is known.
    #[error("the store's address is neither `sqlite:` nor `postgres://`")]
    Address,
    /// The file cannot be opened or created.
    #[error("the database file cannot be opened")]
    File(#[source] sqlx::Error),
    /// The password cannot be read.
    #[error("the file with the store's password cannot be read")]
    Password(#[source] std::io::Error),
    /// The server does not let us in, or is not there.
    #[error("the database server cannot be used")]
    Server(#[source] sqlx::Error),
    /// The schema is not one that this version knows.
    #[error("the database's schema does not fit this version")]
    Schema(#[source] sqlx::migrate::MigrateError),
}

impl Problem for OpenError {
    fn code(&self) -> &'static str {
        match self {
            Self::Address => "STORE_ADDRESS",
            Self::File(_) => "STORE_NOT_OPENED",
            Self::Password(_) => "STORE_PASSWORD",
            Self::Server(_) => "STORE_NOT_REACHED",
            Self::Schema(_) => "STORE_SCHEMA",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::Address => {
                    "set `store` in fedval.toml to sqlite:PATH or \
                     postgres://USER@HOST:PORT/DATABASE"
                }
                Self::File(_) => "check that the folder exists and is writable, then start again",
                Self::Password(_) => {
                    "set `store_password_file` in fedval.toml to a file that this user may read"
                }
                Self::Server(_) => {
                    "check `store` in fedval.toml with `psql`, and that the user may create tables"
                }
                Self::Schema(_) => "start the version of fedval that last wrote this database",
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Address => Exit::Usage,
            Self::Server(_) => Exit::Unreachable,
            Self::File(_) | Self::Password(_) | Self::Schema(_) => Exit::Machine,
        }
    }
}

/// Opens a store and brings its schema up to date.
///
/// # Errors
///
/// See [`OpenError`].
pub async fn store_open(config: &StoreConfig) -> Result<Arc<dyn Store>, OpenError> {
    Ok(Arc::new(match config {
        StoreConfig::File(file) => SqlStore::open(file).await?,
        StoreConfig::Server { url, password_file } => {
            SqlStore::connect(url, password_file.as_deref()).await?
        }
    }))
}
