//! Columns to domain values. What the database holds was checked on its way in, so a value that does
//! not read back is damage, reported as such.

use std::str::FromStr;

use fedval_ambient::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

/// The error for a column that does not hold what it must.
pub(super) fn damaged(column: &'static str) -> Error {
    Error::Decode(format!("column `{column}` is damaged").into())
}

pub(super) fn parsed<T: FromStr>(row: &SqliteRow, column: &'static str) -> Result<T, Error> {
    row.try_get::<String, _>(column)?.parse().map_err(|_| damaged(column))
}

pub(super) fn moment(row: &SqliteRow, column: &'static str) -> Result<Timestamp, Error> {
    row.try_get(column).map(Timestamp::from_unix_millis)
}

pub(super) fn optional_moment(
    row: &SqliteRow,
    column: &'static str,
) -> Result<Option<Timestamp>, Error> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_unix_millis))
}

pub(super) fn json<T: serde::de::DeserializeOwned>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<T, Error> {
    serde_json::from_str(&row.try_get::<String, _>(column)?).map_err(|_| damaged(column))
}

pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Encode(error.into()))
}

pub(super) fn bytes32(row: &SqliteRow, column: &'static str) -> Result<[u8; 32], Error> {
    row.try_get::<Vec<u8>, _>(column)?.try_into().map_err(|_| damaged(column))
}
