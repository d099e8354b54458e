//! The one thing that is read of a fetched file outside the box: which instance it says it is. That
//! stands in front of everything else, always in explicit little endian (PS3.10, 7.1). Where a data
//! set came without it, it is written here.

/// Bytes in front of the prefix, which may be any.
const PREAMBLE_BYTES: usize = 128;
const PREFIX: &[u8] = b"DICM";
/// Group of the file meta information.
const META: [u8; 2] = [0x02, 0x00];
/// Media Storage SOP Instance UID (0002,0003).
const INSTANCE: [u8; 4] = [0x02, 0x00, 0x03, 0x00];
/// File Meta Information Group Length (0002,0000), Media Storage SOP Class UID (0002,0002), Transfer
/// Syntax UID (0002,0010), Implementation Class UID (0002,0012).
const LENGTH: [u8; 4] = [0x02, 0x00, 0x00, 0x00];
const CLASS: [u8; 4] = [0x02, 0x00, 0x02, 0x00];
const SYNTAX: [u8; 4] = [0x02, 0x00, 0x10, 0x00];
const IMPLEMENTATION: [u8; 4] = [0x02, 0x00, 0x12, 0x00];
/// File Meta Information Version (0002,0001), whole: the only one there is.
const VERSION: &[u8] = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01";
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

/// What stands in front of a data set to make a file of it. All four are UIDs, of at most 64 bytes.
pub(super) fn front(class: &str, instance: &str, syntax: &str, implementation: &str) -> Vec<u8> {
    let mut group = VERSION.to_vec();
    let uids =
        [(CLASS, class), (INSTANCE, instance), (SYNTAX, syntax), (IMPLEMENTATION, implementation)];
    for (tag, uid) in uids {
        let padded = uid.len().next_multiple_of(2);
        let length = u16::try_from(padded).expect("a UID is short");
        group.extend([&tag[..], b"UI", &length.to_le_bytes(), uid.as_bytes()].concat());
        group.extend(std::iter::repeat_n(0, padded - uid.len()));
    }
    let length = u32::try_from(group.len()).expect("four UIDs are short").to_le_bytes();
    [&[0; PREAMBLE_BYTES][..], PREFIX, &LENGTH, b"UL\x04\x00", &length, &group].concat()
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

    const OF_CLASS: &[u8] = b"\x02\x00\x02\x00UI\x04\x001.2\x00";
    const UID: &[u8] = b"\x02\x00\x03\x00UI\x06\x001.2.3\x00";

    fn file(elements: &[&[u8]]) -> Vec<u8> {
        [&[0; PREAMBLE_BYTES][..], PREFIX, &elements.concat()].concat()
    }

    #[test]
    fn the_uid_is_found_behind_whatever_else_the_group_holds() {
        let whole = file(&[VERSION, OF_CLASS, UID, b"and the rest"]);
        assert_eq!(instance(&whole), Some("1.2.3"));
        for length in 0..whole.len() - b"and the rest".len() {
            assert_eq!(instance(&whole[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_file_that_gives_itself_no_uid_has_none() {
        let data_set = b"\x08\x00\x18\x00UI\x04\x001.2\x00";
        let endless = b"\x02\x00\x02\x01OB\x00\x00\xff\xff\xff\xff";
        assert_eq!(instance(&file(&[OF_CLASS, data_set, UID])), None, "the group is over");
        assert_eq!(instance(&file(&[endless, UID])), None);
        assert_eq!(instance(&file(&[&OF_CLASS.repeat(MOST_ELEMENTS), UID])), None);
        assert_eq!(instance(&file(&[b"\x02\x00\x03\x00UI\x02\x00\xff\xff"])), None);
        assert_eq!(instance(b"\x89PNG\r\n\x1a\n"), None);
    }

    #[test]
    fn what_is_written_in_front_of_a_data_set_is_read_by_others() {
        let file = front("1.2", "1.2.345", "1.2.840.10008.1.2.1", "2.25.1");
        assert_eq!(instance(&file), Some("1.2.345"));
        let meta = dicom_object::FileMetaTable::from_reader(&file[PREAMBLE_BYTES..]).unwrap();
        assert_eq!(meta.media_storage_sop_class_uid(), "1.2");
        assert_eq!(meta.media_storage_sop_instance_uid(), "1.2.345");
        assert_eq!(meta.transfer_syntax(), "1.2.840.10008.1.2.1");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let file = file(&[&bytes]);
            prop_assert!(instance(&file).is_none_or(|uid| uid.len() <= bytes.len()));
        }
    }
}
