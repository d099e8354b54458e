//! The file that was handed into the box, as the library wants it.

use std::io::{self, BufReader, Read};

use bytes::Bytes;
use fedval_sandbox::HandedFile;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// The file in the box: its size is the parent's word, since a box cannot ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct BoxedFile {
    pub(super) bytes: u64,
}

/// Reads on from a place.
#[derive(Debug)]
pub(super) struct From {
    at: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = HandedFile.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Length for BoxedFile {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for BoxedFile {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(From { at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        // Nothing is allocated for bytes that the file does not have.
        let is_inside = start.checked_add(length as u64).is_some_and(|end| end <= self.bytes);
        if !is_inside {
            return Err(ParquetError::EOF("outside the file".to_owned()));
        }
        let mut bytes = vec![0; length];
        From { at: start }.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}
