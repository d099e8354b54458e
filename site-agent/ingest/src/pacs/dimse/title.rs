//! Titles of application entities.

use crate::pacs::PacsError;

/// Longest title (VR AE, PS3.5, 6.2).
const LONGEST: usize = 16;

/// A title: ASCII without control characters and backslashes, and not blank.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Title(String);

impl Title {
    pub(super) fn parse(text: &str) -> Result<Self, PacsError> {
        let is_plain = |byte: u8| (byte == b' ' || byte.is_ascii_graphic()) && byte != b'\\';
        let is_title = !text.is_empty() && text.len() <= LONGEST && text.trim() == text;
        if is_title && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PacsError::BadTitle)
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who speaks with whom.
#[derive(Clone)]
pub(super) struct Titles {
    pub(super) own: Title,
    pub(super) pacs: Title,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_short_and_plain() {
        for good in ["A", "FEDVAL", "PACS 1", "ABCDEFGHIJKLMNOP"] {
            assert_eq!(Title::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", " A", "A ", "A\\B", "A\n", "Ä", "ABCDEFGHIJKLMNOPQ"] {
            assert_eq!(Title::parse(bad).err(), Some(PacsError::BadTitle), "{bad:?}");
        }
    }
}
