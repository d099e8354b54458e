//! Columns to domain values. What the database holds was checked on its way in, so a value that does
//! not read back is damage, reported as such.

use std::str::FromStr;

use fedval_ambient::Timestamp;
use sqlx::Error;

use super::database::Row;

/// The error for a column that does not hold what it must.
pub(super) fn damaged(column: &'static str) -> Error {
    Error::Decode(format!("column `{column}` is damaged").into())
}

pub(super) fn parsed<T: FromStr>(row: &Row, column: &'static str) -> Result<T, Error> {
    row.get::<&str>(column)?.parse().map_err(|_| damaged(column))
}

pub(super) fn moment(row: &Row, column: &'static str) -> Result<Timestamp, Error> {
    row.get(column).map(Timestamp::from_unix_millis)
}

pub(super) fn optional_moment(row: &Row, column: &'static str) -> Result<Option<Timestamp>, Error> {
    Ok(row.get::<Option<i64>>(column)?.map(Timestamp::from_unix_millis))
}

/// A number that is never negative.
pub(super) fn count<T: TryFrom<i64>>(row: &Row, column: &'static str) -> Result<T, Error> {
    row.get::<i64>(column)?.try_into().map_err(|_| damaged(column))
}

pub(super) fn json<T: serde::de::DeserializeOwned>(
    row: &Row,
    column: &'static str,
) -> Result<T, Error> {
    serde_json::from_str(row.get::<&str>(column)?).map_err(|_| damaged(column))
}

pub(super) fn bytes<const N: usize>(row: &Row, column: &'static str) -> Result<[u8; N], Error> {
    row.get::<&[u8]>(column)?.try_into().map_err(|_| damaged(column))
}

pub(super) fn optional_bytes<const N: usize>(
    row: &Row,
    column: &'static str,
) -> Result<Option<[u8; N]>, Error> {
    let found = row.get::<Option<&[u8]>>(column)?;
    found.map(|bytes| bytes.try_into().map_err(|_| damaged(column))).transpose()
}

pub(super) fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Encode(error.into()))
}

/// A number as databases hold it.
pub(super) fn integer(number: u64) -> Result<i64, Error> {
    number.try_into().map_err(|_| Error::Encode("a number beyond 63 bits".into()))
}
