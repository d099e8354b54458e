//! The package as one file: a ZIP archive without compression and without times.
//!
//! Stored members keep their bytes readable for as long as anybody reads ZIP, and an archive that may hold
//! nothing else cannot inflate: what is read is never larger than the file.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek, SeekFrom, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Members beyond this are no package.
const MAX_MEMBERS: usize = 20_000;

/// An archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It is no ZIP archive, or a damaged one.
    #[error("it is no readable ZIP archive")]
    Damaged(#[from] zip::result::ZipError),
    /// Reading or writing failed.
    #[error("it cannot be read")]
    Input(#[from] std::io::Error),
    /// A member that no package has.
    #[error("{what}")]
    Foreign {
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Files as an archive; the same files give the same bytes.
///
/// # Errors
///
/// [`ArchiveError`] where a file is larger than an archive can hold.
pub(crate) fn pack(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, ArchiveError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        archive.start_file(path, options)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// The files of an archive that may come from anybody.
///
/// # Errors
///
/// [`ArchiveError`] if it is no archive, or holds what no package does: compressed, encrypted or repeated
/// members, folders, or too many.
pub fn unpack(mut input: impl Read + Seek) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let foreign = |what| ArchiveError::Foreign { what };
    // Members may overlap; together they are never larger than the archive.
    let mut room = input.seek(SeekFrom::End(0))?;
    input.rewind()?;
    let mut archive = ZipArchive::new(input)?;
    if archive.len() > MAX_MEMBERS {
        return Err(foreign("it has more members than any package"));
    }
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index_raw(index)?;
        if member.compression() != CompressionMethod::Stored || member.encrypted() {
            return Err(foreign("a member is compressed or encrypted, which none of a package is"));
        }
        room = room.checked_sub(member.size()).ok_or_else(|| foreign("its members overlap"))?;
        let name = member.name()?.into_owned();
        let (size, mut content) = (member.size(), Vec::new());
        member.read_to_end(&mut content)?;
        if u64::try_from(content.len()) != Ok(size) {
            return Err(foreign("a member is cut off"));
        }
        if files.insert(name, content).is_some() {
            return Err(foreign("two members have one name"));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> BTreeMap<String, Vec<u8>> {
        BTreeMap::from([
            ("report.json".to_owned(), b"{}".to_vec()),
            ("evidence/sites/a.json".to_owned(), vec![7; 5000]),
        ])
    }

    #[test]
    fn files_come_back_and_bytes_are_the_same_twice() {
        let packed = pack(&files()).unwrap();
        assert_eq!(packed, pack(&files()).unwrap());
        assert_eq!(unpack(Cursor::new(&packed)).unwrap(), files());
    }

    #[test]
    fn what_is_no_package_is_refused() {
        assert!(
            unpack(Cursor::new(b"")).is_err()
                && unpack(Cursor::new(b"PK\x03\x04 nonsense")).is_err()
        );
        let packed = pack(&files()).unwrap();
        assert!(unpack(Cursor::new(&packed[..packed.len() - 30])).is_err());
        let mut inflating = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        inflating.start_file("report.json", options).unwrap();
        inflating.write_all(&[0; 100]).unwrap();
        let mut bytes = inflating.finish().unwrap().into_inner();
        // A member that claims to be compressed: the method in both headers.
        for at in 0..bytes.len() - 12 {
            match &bytes[at..at + 4] {
                b"PK\x03\x04" => bytes[at + 8] = 8,
                b"PK\x01\x02" => bytes[at + 10] = 8,
                _ => {}
            }
        }
        assert!(matches!(unpack(Cursor::new(&bytes)), Err(ArchiveError::Foreign { .. })));
    }
}
