//! The one thing that is read of a fetched file outside the box: which instance it says it is. That
//! stands in front of everything else, always in explicit little endian (PS3.10, 7.1).

/// Bytes in front of the prefix, which may be any.
const PREAMBLE_BYTES: usize = 128;
const PREFIX: &[u8] = b"DICM";
/// Group of the file meta information.
const META: [u8; 2] = [0x02, 0x00];
/// Media Storage SOP Instance UID (0002,0003).
const INSTANCE: [u8; 4] = [0x02, 0x00, 0x03, 0x00];
/// No standard has more elements in this group.
const MOST_ELEMENTS: usize = 32;

/// The UID that a file gives itself; `None` where it gives none, or is no DICOM file.
pub(super) fn instance(file: &[u8]) -> Option<&str> {
    let mut rest = file.get(PREAMBLE_BYTES..)?.strip_prefix(PREFIX)?;
    for _ in 0..MOST_ELEMENTS {
        let (tag, value, after) = element(rest)?;
        if tag == INSTANCE {
            return Some(std::str::from_utf8(value).ok()?.trim_end_matches(['\0', ' ']));
        }
        if !tag.starts_with(&META) {
            return None;
        }
        rest = after;
    }
    None
}

/// Tag and value of the first element, and what comes after it.
fn element(bytes: &[u8]) -> Option<([u8; 4], &[u8], &[u8])> {
    let (tag, bytes) = bytes.split_first_chunk::<4>()?;
    let (form, bytes) = bytes.split_first_chunk::<2>()?;
    let (length, bytes) = match form {
        // Two bytes of nothing, and a length of four (PS3.5, 7.1.2).
        b"OB" | b"OW" | b"SQ" | b"UC" | b"UN" | b"UR" | b"UT" => {
            let (length, bytes) = bytes.get(2..)?.split_first_chunk::<4>()?;
            (usize::try_from(u32::from_le_bytes(*length)).ok()?, bytes)
        }
        _ => {
            let (length, bytes) = bytes.split_first_chunk::<2>()?;
            (usize::from(u16::from_le_bytes(*length)), bytes)
        }
    };
    let (value, rest) = bytes.split_at_checked(length)?;
    Some((*tag, value, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VERSION: &[u8] = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01";
    const CLASS: &[u8] = b"\x02\x00\x02\x00UI\x04\x001.2\x00";
    const UID: &[u8] = b"\x02\x00\x03\x00UI\x06\x001.2.3\x00";

    fn file(elements: &[&[u8]]) -> Vec<u8> {
        [&[0; PREAMBLE_BYTES][..], PREFIX, &elements.concat()].concat()
    }

    #[test]
    fn the_uid_is_found_behind_whatever_else_the_group_holds() {
        let whole = file(&[VERSION, CLASS, UID, b"and the rest"]);
        assert_eq!(instance(&whole), Some("1.2.3"));
        for length in 0..whole.len() - b"and the rest".len() {
            assert_eq!(instance(&whole[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_file_that_gives_itself_no_uid_has_none() {
        let data_set = b"\x08\x00\x18\x00UI\x04\x001.2\x00";
        let endless = b"\x02\x00\x02\x01OB\x00\x00\xff\xff\xff\xff";
        assert_eq!(instance(&file(&[CLASS, data_set, UID])), None, "the group is over");
        assert_eq!(instance(&file(&[endless, UID])), None);
        assert_eq!(instance(&file(&[&CLASS.repeat(MOST_ELEMENTS), UID])), None);
        assert_eq!(instance(&file(&[b"\x02\x00\x03\x00UI\x02\x00\xff\xff"])), None);
        assert_eq!(instance(b"\x89PNG\r\n\x1a\n"), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let file = file(&[&bytes]);
            prop_assert!(instance(&file).is_none_or(|uid| uid.len() <= bytes.len()));
        }
    }
}
