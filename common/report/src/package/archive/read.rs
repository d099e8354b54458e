//! Reading an archive by the rules of a package alone: so many members at most, none over another, no second
//! description of any. An archive of a million is refused before room is made for one.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use super::write::{ATTRIBUTES, DAY, MADE_ON_UNIX, VERSION};
use super::{ArchiveError, DESCRIPTION, END, HEADER, MAX_MEMBERS, MAX_NAME};
use crate::package::content::Bytes;

/// What a member's description takes at most, with what tools add to it.
const MAX_DESCRIPTION: u64 = 46 + MAX_NAME as u64 + 256;

/// The files of an archive that may come from anybody, all in memory.
///
/// # Errors
///
/// [`ArchiveError`] if it is no archive, or holds what no package does: compressed, encrypted, overlapping or
/// repeated members, folders, or too many.
pub fn unpack(mut input: impl Read + Seek) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let mut whole = Vec::new();
    input.rewind()?;
    input.read_to_end(&mut whole)?;
    unpacked(&whole)
}

/// The files of an archive in memory.
fn unpacked(archive: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let whole = Bytes::Held(archive);
    let content = |Member { name, start, length, .. }| {
        let mut content = vec![0; usize::try_from(length).map_err(|_| ArchiveError::Damaged)?];
        whole.fill(start, &mut content)?;
        Ok((name, content))
    };
    members(&whole)?.into_iter().map(content).collect()
}

/// A member of an archive, and where its content stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Where its header begins.
    begins: u64,
    pub(crate) start: u64,
    pub(crate) length: u64,
}

/// The members of an archive that may come from anybody, in order of names.
pub(crate) fn members(archive: &Bytes<'_>) -> Result<Vec<Member>, ArchiveError> {
    let (directory, count, begins) = directory(archive)?;
    let mut rest = directory.as_slice();
    let mut members = Vec::with_capacity(count);
    for _ in 0..count {
        let described = Description::take(&mut rest)?;
        members.push(described.member(archive, begins)?);
    }
    if !rest.is_empty() {
        return Err(ArchiveError::Damaged);
    }
    members.sort_unstable_by_key(|member| member.begins);
    let mut end = 0;
    for member in &members {
        if member.begins < end {
            return Err(foreign("its members overlap"));
        }
        // What no member describes, other programs may find and take for one.
        if member.begins > end {
            return Err(foreign("bytes stand between its members"));
        }
        end = member.start + member.length;
    }
    if end != begins {
        return Err(foreign("bytes stand between its members and their descriptions"));
    }
    members.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    if members.windows(2).any(|pair| pair[0].name == pair[1].name) {
        return Err(foreign("two members have one name"));
    }
    Ok(members)
}

const fn foreign(what: &'static str) -> ArchiveError {
    ArchiveError::Foreign { what }
}

/// The descriptions of all members, how many they are, and where they begin. They end where the record at the end
/// begins, and that ends the archive.
fn directory(archive: &Bytes<'_>) -> Result<(Vec<u8>, usize, u64), ArchiveError> {
    let mut end = [0; END];
    let ends = archive.length().checked_sub(END as u64).ok_or(ArchiveError::Damaged)?;
    archive.fill(ends, &mut end)?;
    let count = short(&end, 10);
    let is_one_disk = short(&end, 4) == 0 && short(&end, 6) == 0 && short(&end, 8) == count;
    if !end.starts_with(b"PK\x05\x06") || short(&end, 20) != 0 || !is_one_disk {
        return Err(ArchiveError::Damaged);
    }
    if usize::from(count) > MAX_MEMBERS {
        return Err(foreign("it has more members than any package"));
    }
    let (size, begins) = (u64::from(long(&end, 12)), u64::from(long(&end, 16)));
    if size > u64::from(count) * MAX_DESCRIPTION {
        return Err(foreign("its members are described at greater length than any"));
    }
    if begins.checked_add(size) != Some(ends) {
        return Err(ArchiveError::Damaged);
    }
    let mut directory = vec![0; usize::try_from(size).map_err(|_| ArchiveError::Damaged)?];
    archive.fill(begins, &mut directory)?;
    Ok((directory, usize::from(count), begins))
}

/// What the directory says of a member.
struct Description<'d> {
    fixed: &'d [u8],
    name: &'d [u8],
}

impl<'d> Description<'d> {
    /// The first one of those that are left.
    fn take(rest: &mut &'d [u8]) -> Result<Self, ArchiveError> {
        let (fixed, further) = rest.split_at_checked(DESCRIPTION).ok_or(ArchiveError::Damaged)?;
        if !fixed.starts_with(b"PK\x01\x02") {
            return Err(ArchiveError::Damaged);
        }
        let length = usize::from(short(fixed, 28));
        let (name, further) = further.split_at_checked(length).ok_or(ArchiveError::Damaged)?;
        // Further fields may give a member another name, for programs that read them.
        if short(fixed, 30) != 0 || short(fixed, 32) != 0 {
            return Err(foreign("a member is described by more than a package needs"));
        }
        *rest = further;
        Ok(Self { fixed, name })
    }

    fn member(&self, archive: &Bytes<'_>, directory: u64) -> Result<Member, ArchiveError> {
        // Encrypted, or compressed in whatever way.
        if short(self.fixed, 8) & 1 != 0 || short(self.fixed, 10) != 0 {
            return Err(foreign("a member is compressed or encrypted, which none of a package is"));
        }
        let length = long(self.fixed, 24);
        if long(self.fixed, 20) != length || self.name.len() > MAX_NAME {
            return Err(foreign("a member has two sizes, or a name longer than any"));
        }
        let mut header = [0; HEADER];
        let at = u64::from(long(self.fixed, 42));
        archive.fill(at, &mut header)?;
        let mut name = vec![0; self.name.len()];
        archive.fill(at + HEADER as u64, &mut name)?;
        // From the version to the lengths, both say the same.
        let agrees = header.starts_with(b"PK\x03\x04")
            && self.fixed.get(6..32) == Some(&header[4..])
            && name == self.name;
        if !agrees {
            return Err(foreign("a member is described in two ways"));
        }
        if !self.is_usual() {
            return Err(foreign("a member has a day or rights that none of a package has"));
        }
        let before = HEADER as u64 + u64::from(short(&header, 26));
        let (start, length) = (at + before, u64::from(length));
        if start + length > directory {
            return Err(foreign("a member is cut off"));
        }
        let name = String::from_utf8(name).map_err(|_| ArchiveError::Damaged)?;
        if name.ends_with('/') {
            return Err(foreign("a member is a folder, which none of a package is"));
        }
        Ok(Member { name, begins: at, start, length })
    }

    /// Whether a package is written so. What is said besides a name, a place and a content is the same of every
    /// member: no bit of an archive can be changed unseen.
    fn is_usual(&self) -> bool {
        let shorts = [
            (4, MADE_ON_UNIX | VERSION),
            (6, VERSION),
            (8, 0),
            (12, 0),
            (14, DAY),
            (34, 0),
            (36, 0),
        ];
        shorts.iter().all(|(at, usual)| short(self.fixed, *at) == *usual)
            && long(self.fixed, 38) == ATTRIBUTES
    }
}

/// A number of two bytes, the lowest first; 0 beyond the end.
fn short(bytes: &[u8], at: usize) -> u16 {
    let two = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>());
    two.map_or(0, |two| u16::from_le_bytes(*two))
}

/// A number of four bytes.
fn long(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    four.map_or(0, |four| u32::from_le_bytes(*four))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::packed as pack;
    use super::*;

    fn files() -> BTreeMap<String, Vec<u8>> {
        BTreeMap::from([
            ("report.json".to_owned(), b"{}".to_vec()),
            ("evidence/sites/a.json".to_owned(), vec![7; 5000]),
        ])
    }

    fn packed() -> Vec<u8> {
        pack(&files()).unwrap()
    }

    fn refused(archive: &[u8]) -> String {
        unpack(Cursor::new(archive)).unwrap_err().to_string()
    }

    /// Puts bytes at a place after each mark.
    fn marked(mark: &[u8], place: usize, bytes: &[u8]) -> Vec<u8> {
        let mut archive = packed();
        for at in 0..archive.len() - mark.len() {
            if archive[at..].starts_with(mark) {
                archive[at + place..][..bytes.len()].copy_from_slice(bytes);
            }
        }
        archive
    }

    #[test]
    fn files_come_back_and_bytes_are_the_same_twice() {
        assert_eq!(packed(), packed());
        assert_eq!(unpack(Cursor::new(packed())).unwrap(), files());
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let whole = packed();
        let followed = [&whole[..], b"x"].concat();
        for archive in [b"", &b"PK\x03\x04 nonsense"[..], &whole[..whole.len() - 30], &followed] {
            assert!(unpack(Cursor::new(archive)).is_err());
        }
    }

    #[test]
    fn what_no_package_holds_is_refused() {
        let (header, description) = (b"PK\x03\x04", b"PK\x01\x02");
        for (archive, why) in [
            (marked(description, 10, &[8, 0]), "compressed"),
            (marked(description, 8, &[1, 0]), "encrypted"),
            (marked(header, 8, &[8, 0]), "two ways"),
            // A size that lies, in one place and in all.
            (marked(description, 24, &[9, 9, 9, 9]), "two sizes"),
            (marked(description, 20, &[9, 0, 0, 0, 9, 0, 0, 0]), "two ways"),
            (marked(header, 18, &[9, 0, 0, 0, 9, 0, 0, 0]), "two ways"),
            // Both members begin where the first does.
            (marked(description, 42, &[0, 0, 0, 0]), "two ways"),
            (marked(b"PK\x05\x06", 8, &[0xff, 0xff, 0xff, 0xff]), "more members"),
            (marked(b"PK\x05\x06", 12, &[0xff, 0xff, 0xff, 0x7f]), "greater length"),
            (marked(b"PK\x05\x06", 16, &[0, 0, 0, 0]), "no readable"),
        ] {
            assert!(refused(&archive).contains(why), "{} instead of {why}", refused(&archive));
        }
    }

    #[test]
    fn no_bit_beside_the_contents_can_be_changed() {
        let whole = packed();
        let contents = members(&Bytes::Held(&whole)).unwrap();
        let is_content = |at: usize| {
            let at = at as u64;
            contents.iter().any(|of| (of.start..of.start + of.length).contains(&at))
        };
        for at in (0..whole.len()).filter(|at| !is_content(*at)) {
            for bit in 0..8 {
                let mut archive = whole.clone();
                archive[at] ^= 1 << bit;
                assert!(unpacked(&archive).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn members_over_each_other_are_refused() {
        // Two members of one size, of which both descriptions say that they are the first.
        let twice = |names: [&str; 2]| {
            pack(&names.map(|name| (name.to_owned(), vec![1; 100])).into()).unwrap()
        };
        let mut archive = twice(["one", "two"]);
        let last = |archive: &[u8], mark: &[u8]| {
            (0..archive.len()).rfind(|at| archive[*at..].starts_with(mark)).unwrap()
        };
        let at = last(&archive, b"PK\x01\x02");
        archive[at + 46..at + 49].copy_from_slice(b"one");
        archive[at + 42..at + 46].fill(0);
        assert!(refused(&archive).contains("overlap"), "{}", refused(&archive));
        let second = last(&archive, b"PK\x03\x04");
        let mut archive = twice(["one", "two"]);
        archive[at + 46..at + 49].copy_from_slice(b"one");
        archive[second + 30..second + 33].copy_from_slice(b"one");
        assert!(refused(&archive).contains("one name"), "{}", refused(&archive));
    }
}
