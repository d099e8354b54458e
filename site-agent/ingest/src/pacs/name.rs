//! How a manifest names an image in a PACS.

use std::fmt;

/// Longest UID (PS3.5, 9.1) and longest accession number (VR SH, PS3.5, 6.2).
const LONGEST_UID: usize = 64;
const LONGEST_ACCESSION_NUMBER: usize = 16;

/// What the manifest's column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InstanceKey {
    /// SOP Instance UID (0008,0018): names the image itself.
    SopInstanceUid,
    /// Series Instance UID (0020,000E), where the series has one image, or is a volume.
    SeriesInstanceUid,
    /// Study Instance UID (0020,000D), where the imaging study has one image of the modality, or one
    /// series that is a volume.
    StudyInstanceUid,
    /// Accession Number (0008,0050), where the same is true of its one imaging study.
    AccessionNumber,
}

/// An image in a PACS, by what the manifest says of it.
#[derive(Clone, PartialEq, Eq)]
pub struct InstanceName {
    key: InstanceKey,
    value: String,
}

impl InstanceName {
    /// Reads a cell; `None` if it is not a UID, or not an accession number without wildcards.
    #[must_use]
    pub fn parse(key: InstanceKey, value: &str) -> Option<Self> {
        let is_valid = match key {
            InstanceKey::SopInstanceUid
            | InstanceKey::SeriesInstanceUid
            | InstanceKey::StudyInstanceUid => is_uid(value),
            InstanceKey::AccessionNumber => is_accession_number(value),
        };
        is_valid.then(|| Self { key, value: value.to_owned() })
    }

    /// What names the image.
    #[must_use]
    pub const fn key(&self) -> InstanceKey {
        self.key
    }

    /// The UID or the number.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for InstanceName {
    /// Names the type only: identifiers do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstanceName(..)")
    }
}

/// Whether a text is a UID: groups of digits with dots between.
pub(super) fn is_uid(text: &str) -> bool {
    let is_group = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    text.len() <= LONGEST_UID && text.split('.').all(is_group)
}

/// A PACS takes `*` and `?` for any number, and a backslash for the start of another value.
fn is_accession_number(text: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '*' | '?' | '\\');
    !text.is_empty()
        && text.chars().count() <= LONGEST_ACCESSION_NUMBER
        && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_uids_or_numbers_without_wildcards() {
        let is_name = |key, text: &str| InstanceName::parse(key, text).is_some();
        for key in [
            InstanceKey::SopInstanceUid,
            InstanceKey::SeriesInstanceUid,
            InstanceKey::StudyInstanceUid,
        ] {
            assert!(is_name(key, "1.2.840.10008.1") && is_name(key, &"1".repeat(64)));
            for bad in ["", "1..2", ".1", "1.", "1.2/../3", "1.2?x", "1.2*", &"1".repeat(65)] {
                assert!(!is_name(key, bad), "{bad}");
            }
        }
        let number = InstanceKey::AccessionNumber;
        assert!(is_name(number, "A 2026/17-ü") && is_name(number, "1234567890123456"));
        for bad in ["", "A*", "A?", "A\\B", "A\nB", "12345678901234567"] {
            assert!(!is_name(number, bad), "{bad}");
        }
    }
}
