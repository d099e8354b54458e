//! Writing an archive piece by piece: what stands between the files is made here, the files stay where they lie.
//! An archive of a thousand sites is as large as the package, and is never held beside it.
//!
//! The `zip` crate writes an archive as a whole or into a file; it reads these in the tests.

use std::collections::BTreeMap;

use super::{ArchiveError, DESCRIPTION, END, HEADER, MAX_MEMBERS, MAX_NAME};

/// The oldest version of the format that has stored members, in tenths.
pub(super) const VERSION: u16 = 10;
/// Whose file attributes are meant: those of Unix.
pub(super) const MADE_ON_UNIX: u16 = 3 << 8;
/// 1980-01-01, the first day there is. Archives of the same files are the same.
pub(super) const DAY: u16 = 0x21;
/// A plain file that its owner writes and everybody reads.
pub(super) const ATTRIBUTES: u32 = 0o100_644 << 16;

/// All files of a package in one, without the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The header of each member with its path, in order.
    members: Vec<(Vec<u8>, String)>,
    /// What stands behind them.
    directory: Vec<u8>,
}

/// What stands next in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// The file at this path, whole.
    File(&'a str),
}

impl Archive {
    /// The archive of `files`.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::TooLarge`] where they do not fit.
    pub(crate) fn of(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, ArchiveError> {
        if files.len() > MAX_MEMBERS {
            return Err(ArchiveError::TooLarge);
        }
        let mut members = Vec::with_capacity(files.len());
        let mut directory = Vec::new();
        let mut at: u32 = 0;
        for (path, bytes) in files {
            let file = Described::new(path, bytes)?;
            directory.extend(file.description(at));
            let header = file.header();
            at = length(header.len() + bytes.len())
                .and_then(|length| at.checked_add(length).ok_or(ArchiveError::TooLarge))?;
            members.push((header, path.clone()));
        }
        directory.extend(end(files.len(), directory.len(), at)?);
        Ok(Self { members, directory })
    }

    /// What stands in it, from the first byte to the last.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let member = |(header, path)| [Piece::Bytes(header), Piece::File(path)];
        let members = self.members.iter().map(|(header, path)| (header.as_slice(), path.as_str()));
        members.flat_map(member).chain([Piece::Bytes(&self.directory)])
    }

    /// The archive as a whole, from the files that it is of.
    pub(crate) fn whole(&self, files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
        let bytes = |piece| match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::File(path) => files.get(path).map_or(&[][..], Vec::as_slice),
        };
        self.pieces().map(bytes).collect::<Vec<_>>().concat()
    }
}

/// What an archive says of a file.
struct Described<'f> {
    path: &'f str,
    length: u32,
    crc: u32,
}

impl<'f> Described<'f> {
    fn new(path: &'f str, bytes: &[u8]) -> Result<Self, ArchiveError> {
        if path.len() > MAX_NAME {
            return Err(ArchiveError::TooLarge);
        }
        Ok(Self { path, length: length(bytes.len())?, crc: crc32fast::hash(bytes) })
    }

    /// What both descriptions of a member have: version, flags, method, time, day, checksum, sizes, length of name.
    fn fields(&self) -> Vec<u8> {
        let [none, stored, midnight] = [0_u16; 3];
        let name = u16::try_from(self.path.len()).unwrap_or(u16::MAX);
        let mut fields = shorts(&[VERSION, none, stored, midnight, DAY]);
        fields.extend(longs(&[self.crc, self.length, self.length]));
        fields.extend(shorts(&[name]));
        fields
    }

    /// Before its content.
    fn header(&self) -> Vec<u8> {
        let further_fields = 0;
        let mut header = Vec::with_capacity(HEADER + self.path.len());
        header.extend(b"PK\x03\x04");
        header.extend(self.fields());
        header.extend(shorts(&[further_fields]));
        header.extend(self.path.as_bytes());
        header
    }

    /// In the directory, of a member whose header begins at a place.
    fn description(&self, begins: u32) -> Vec<u8> {
        let [further_fields, comment, disk, kind] = [0_u16; 4];
        let mut description = Vec::with_capacity(DESCRIPTION + self.path.len());
        description.extend(b"PK\x01\x02");
        description.extend(shorts(&[MADE_ON_UNIX | VERSION]));
        description.extend(self.fields());
        description.extend(shorts(&[further_fields, comment, disk, kind]));
        description.extend(longs(&[ATTRIBUTES, begins]));
        description.extend(self.path.as_bytes());
        description
    }
}

/// The record that ends an archive.
fn end(count: usize, size: usize, begins: u32) -> Result<Vec<u8>, ArchiveError> {
    let [disk, comment] = [0_u16; 2];
    let count = u16::try_from(count).map_err(|_| ArchiveError::TooLarge)?;
    let mut end = Vec::with_capacity(END);
    end.extend(b"PK\x05\x06");
    end.extend(shorts(&[disk, disk, count, count]));
    end.extend(longs(&[length(size)?, begins]));
    end.extend(shorts(&[comment]));
    Ok(end)
}

fn length(bytes: usize) -> Result<u32, ArchiveError> {
    u32::try_from(bytes).map_err(|_| ArchiveError::TooLarge)
}

fn shorts(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn longs(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Files as an archive in memory.
#[cfg(test)]
pub(super) fn packed(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, ArchiveError> {
    Ok(Archive::of(files)?.whole(files))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::*;

    fn files() -> BTreeMap<String, Vec<u8>> {
        BTreeMap::from([
            ("README.txt".to_owned(), b"how to".to_vec()),
            ("empty.csv".to_owned(), Vec::new()),
            ("evidence/sites/a.json".to_owned(), vec![7; 70_000]),
        ])
    }

    #[test]
    fn another_program_reads_it() {
        let mut archive = zip::ZipArchive::new(Cursor::new(packed(&files()).unwrap())).unwrap();
        assert_eq!(archive.len(), files().len());
        for (path, expected) in files() {
            let mut member = archive.by_name(&path).unwrap();
            assert_eq!(member.unix_mode(), Some(0o100_644));
            let mut content = Vec::new();
            // Checks the sum as well.
            member.read_to_end(&mut content).unwrap();
            assert_eq!(content, expected, "{path}");
        }
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let long = BTreeMap::from([("x".repeat(MAX_NAME + 1), Vec::new())]);
        let many = (0..=MAX_MEMBERS).map(|number| (number.to_string(), Vec::new())).collect();
        for files in [long, many] {
            assert!(matches!(Archive::of(&files), Err(ArchiveError::TooLarge)));
        }
    }
}
