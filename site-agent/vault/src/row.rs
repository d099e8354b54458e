//! Columns to domain values.

use std::str::FromStr;

use fedval_ambient::Timestamp;
use fedval_study::Sha256Digest;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

pub(crate) fn damaged(column: &'static str) -> Error {
    Error::Decode(format!("column `{column}` is damaged").into())
}

pub(crate) fn parsed<T: FromStr>(row: &SqliteRow, column: &'static str) -> Result<T, Error> {
    row.try_get::<String, _>(column)?.parse().map_err(|_| damaged(column))
}

pub(crate) fn moment(row: &SqliteRow, column: &'static str) -> Result<Timestamp, Error> {
    row.try_get(column).map(Timestamp::from_unix_millis)
}

pub(crate) fn count(row: &SqliteRow, column: &'static str) -> Result<u64, Error> {
    row.try_get::<i64, _>(column)?.try_into().map_err(|_| damaged(column))
}

pub(crate) fn digest(row: &SqliteRow, column: &'static str) -> Result<Sha256Digest, Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    Sha256Digest::try_from(bytes.as_slice()).map_err(|_| damaged(column))
}

pub(crate) fn json<T: serde::de::DeserializeOwned>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<T, Error> {
    serde_json::from_str(&row.try_get::<String, _>(column)?).map_err(|_| damaged(column))
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Encode(error.into()))
}
