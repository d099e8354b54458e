//! A table in a file: CSV, or Parquet, which a box reads. Told by its first bytes, never by its name.

use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::thread;

use super::error::ManifestProblem;
use super::parquet::{MAGIC, ParquetRows};
use super::records::{Records, Rows};

/// Hands the rows of a file to `read`, and gives back what that makes of them. Blocks for as long as it takes, in any
/// thread.
pub(crate) fn with_rows<T>(
    file: File,
    read: impl FnOnce(&mut dyn Rows) -> T,
) -> Result<T, ManifestProblem> {
    let mut file = BufReader::new(file);
    if !is_parquet(&mut file)? {
        return Ok(read(&mut Records::new(file)));
    }
    thread::scope(|scope| {
        let mut rows = ParquetRows::start(file.into_inner(), scope)?;
        Ok(read(&mut rows))
    })
}

fn is_parquet(file: &mut BufReader<File>) -> Result<bool, ManifestProblem> {
    loop {
        match file.fill_buf() {
            Ok(start) => return Ok(start.starts_with(MAGIC)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(ManifestProblem::Unreadable),
        }
    }
}
