//! Elements in implicit little endian: commands (PS3.7, 6.3.1), and what a query asks and answers.
//!
//! What is read here is small and flat. Sequences are stepped over without a look inside.

use dicom_core::Tag;

/// Elements of one command or result that are read; none of those that are asked for has as many.
const MOST_ELEMENTS: usize = 512;
/// Sequences and items within each other.
const DEEPEST: usize = 16;
/// Length of a sequence or an item that ends with a delimiter (PS3.5, 7.5).
const UNDEFINED: u32 = u32::MAX;
const END_OF_ITEM: Tag = Tag(0xFFFE, 0xE00D);
const END_OF_SEQUENCE: Tag = Tag(0xFFFE, 0xE0DD);

/// Appends an element; an odd value is padded.
pub(super) fn put(bytes: &mut Vec<u8>, tag: Tag, value: &[u8], padding: u8) {
    let padded = value.len().next_multiple_of(2);
    let length = u32::try_from(padded).expect("nothing long is sent");
    bytes.extend(tag.0.to_le_bytes());
    bytes.extend(tag.1.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(value);
    bytes.extend(std::iter::repeat_n(padding, padded - value.len()));
}

/// Elements by their tags.
pub(super) struct Elements<'b>(Vec<(Tag, &'b [u8])>);

impl<'b> Elements<'b> {
    /// The elements of the outermost level; `None` if a length is not the bytes' own, or there are
    /// too many.
    pub(super) fn read(mut bytes: &'b [u8]) -> Option<Self> {
        let (mut elements, mut depth) = (Vec::new(), 0_usize);
        for _ in 0..MOST_ELEMENTS {
            if bytes.is_empty() {
                return (depth == 0).then_some(Self(elements));
            }
            let (tag, length, rest) = head(bytes)?;
            bytes = rest;
            if tag == END_OF_ITEM || tag == END_OF_SEQUENCE {
                depth = depth.checked_sub(1)?;
            } else if length == UNDEFINED {
                depth += 1;
                if depth > DEEPEST {
                    return None;
                }
            } else {
                let (value, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
                if depth == 0 {
                    elements.push((tag, value));
                }
                bytes = rest;
            }
        }
        None
    }

    /// An element's value, as it is.
    pub(super) fn value(&self, tag: Tag) -> Option<&'b [u8]> {
        self.0.iter().find(|(own, _)| *own == tag).map(|(_, value)| *value)
    }

    pub(super) fn number(&self, tag: Tag) -> Option<u16> {
        self.value(tag)?.try_into().ok().map(u16::from_le_bytes)
    }

    /// Text without its padding: UTF-8, or else Latin-1, in which no byte means nothing.
    pub(super) fn text(&self, tag: Tag) -> Option<String> {
        let value = self.value(tag)?;
        let text = match str::from_utf8(value) {
            Ok(text) => text.to_owned(),
            Err(_) => value.iter().map(|byte| char::from(*byte)).collect(),
        };
        Some(text.trim_matches(['\0', ' ']).to_owned())
    }
}

fn head(bytes: &[u8]) -> Option<(Tag, u32, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    let [a, b, c, d, length @ ..] = *head;
    let tag = Tag(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
    Some((tag, u32::from_le_bytes(length), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: Tag = Tag(0x0008, 0x0050);
    const SEQUENCE: Tag = Tag(0x0008, 0x1110);
    const ITEM: Tag = Tag(0xFFFE, 0xE000);
    const TWO: Tag = Tag(0x0020, 0x000D);

    fn undefined(bytes: &mut Vec<u8>, tag: Tag) {
        put(bytes, tag, b"", 0);
        let length = bytes.len() - 4;
        bytes[length..].fill(0xFF);
    }

    #[test]
    fn what_is_written_is_read_again_without_its_padding() {
        let mut bytes = Vec::new();
        put(&mut bytes, ONE, b"A 1", b' ');
        put(&mut bytes, TWO, b"1.2", 0);
        assert_eq!(bytes.len(), 24);
        let read = Elements::read(&bytes).unwrap();
        assert_eq!(read.text(ONE).as_deref(), Some("A 1"));
        assert_eq!((read.text(TWO).as_deref(), read.value(SEQUENCE)), (Some("1.2"), None));
        for length in 1..bytes.len() {
            let read = Elements::read(&bytes[..length]);
            assert_eq!(read.is_some(), length == 12, "{length}");
        }
    }

    #[test]
    fn sequences_are_stepped_over() {
        let mut bytes = Vec::new();
        undefined(&mut bytes, SEQUENCE);
        undefined(&mut bytes, ITEM);
        put(&mut bytes, TWO, b"9.9", 0);
        put(&mut bytes, END_OF_ITEM, b"", 0);
        put(&mut bytes, END_OF_SEQUENCE, b"", 0);
        put(&mut bytes, TWO, b"1.2", 0);
        assert_eq!(Elements::read(&bytes).unwrap().text(TWO).as_deref(), Some("1.2"));
        let mut deep = Vec::new();
        (0..=DEEPEST).for_each(|_| undefined(&mut deep, ITEM));
        (0..=DEEPEST).for_each(|_| put(&mut deep, END_OF_ITEM, b"", 0));
        assert!(Elements::read(&deep).is_none());
        let mut many = Vec::new();
        (0..=MOST_ELEMENTS).for_each(|_| put(&mut many, ONE, b"", 0));
        assert!(Elements::read(&many).is_none());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..96)) {
            if let Some(read) = Elements::read(&bytes) {
                let held: usize = read.0.iter().map(|(_, value)| value.len() + 8).sum();
                prop_assert!(held <= bytes.len());
            }
        }
    }
}
