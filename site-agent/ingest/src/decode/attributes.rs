//! The few DICOM attributes that a protocol may ask for.

use std::collections::BTreeMap;

use fedval_study::protocol::DICOM_ATTRIBUTES;

use super::MAX_ATTRIBUTE_LENGTH;

/// Whether a protocol may ask for `keyword`.
pub(super) fn is_allowed(keyword: &str) -> bool {
    DICOM_ATTRIBUTES.contains(&keyword)
}

/// A value in the form that may leave the box; `None` for any other.
pub(super) fn admissible(value: &str) -> Option<String> {
    let value = value.trim_matches([' ', '\0']);
    let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let fits = (1..=MAX_ATTRIBUTE_LENGTH).contains(&value.len());
    (fits && printable).then(|| value.to_owned())
}

/// Keeps what was asked for and has the right form: the box is not trusted to have done so.
pub(super) fn admitted(
    attributes: BTreeMap<String, String>,
    asked: &[String],
) -> BTreeMap<String, String> {
    attributes
        .into_iter()
        .filter(|(keyword, _)| asked.contains(keyword) && is_allowed(keyword))
        .filter_map(|(keyword, value)| Some((keyword, admissible(&value)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_attributes_are_never_admitted_and_odd_values_are_dropped() {
        let asked = ["PatientSex", "PatientName", "Manufacturer"].map(str::to_owned);
        let read = [
            ("PatientSex", "F "),
            ("PatientName", "ZZCANARY^PATIENT"),
            ("Manufacturer", "a\u{1b}[31m"),
            ("ViewPosition", "PA"),
        ];
        let read = read.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let expected = [("PatientSex".to_owned(), "F".to_owned())].into();
        assert_eq!(admitted(read, &asked), expected);
        assert_eq!(admissible(&"x".repeat(65)), None);
        assert_eq!(admissible("  "), None);
    }
}
