//! Where two JSON documents first differ.

use std::collections::BTreeSet;

use serde_json::{Number, Value};

/// How two values are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// Every value and every key.
    Same,
    /// What another revision of the program gives: numbers to nine digits, and it may say more.
    Close,
}

/// Relative to the larger of the two, or absolute below 1.
const CLOSE: f64 = 1e-9;

/// The first path, in the order of keys, at which `found` and `expected` differ.
///
/// `None` where both agree, or where one of them is no JSON at all.
pub(super) fn first_difference(
    found: &[u8],
    expected: &[u8],
    agreement: Agreement,
) -> Option<String> {
    let found: Value = serde_json::from_slice(found).ok()?;
    let expected: Value = serde_json::from_slice(expected).ok()?;
    below("$".to_owned(), &found, &expected, agreement)
}

/// Depth is bounded by the JSON reader, which refuses documents nested deeper than 128.
fn below(path: String, found: &Value, expected: &Value, agreement: Agreement) -> Option<String> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let keys: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
            keys.into_iter().find_map(|key| {
                let path = format!("{path}.{}", super::printable(key));
                match (found.get(key), expected.get(key)) {
                    (Some(found), Some(expected)) => below(path, found, expected, agreement),
                    (None, Some(_)) if agreement == Agreement::Close => None,
                    _ => Some(path),
                }
            })
        }
        (Value::Number(found), Value::Number(expected)) => {
            (!agree(found, expected, agreement)).then_some(path)
        }
        (Value::Array(found), Value::Array(expected)) => {
            let differing =
                found.iter().zip(expected).enumerate().find_map(|(index, (found, expected))| {
                    below(format!("{path}[{index}]"), found, expected, agreement)
                });
            let shorter = found.len().min(expected.len());
            let lengths_differ = found.len() != expected.len();
            differing.or_else(|| lengths_differ.then(|| format!("{path}[{shorter}]")))
        }
        _ => (found != expected).then_some(path),
    }
}

fn agree(found: &Number, expected: &Number, agreement: Agreement) -> bool {
    let (Some(one), Some(other)) = (found.as_f64(), expected.as_f64()) else { return false };
    // Counts are counts under any revision.
    let are_counts = found.is_u64() && expected.is_u64();
    match agreement {
        Agreement::Close if !are_counts => {
            (one - other).abs() <= CLOSE * one.abs().max(other.abs()).max(1.0)
        }
        _ => found == expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_differing_path_is_named() {
        let expected = br#"{"a":[1,{"b":2}],"c":3}"#;
        for (found, path) in [
            (&br#"{"a":[1,{"b":9}],"c":9}"#[..], "$.a[1].b"),
            (br#"{"a":[1],"c":3}"#, "$.a[1]"),
            (br#"{"a":[1,{"b":2}]}"#, "$.c"),
            (br#"{"a":[1,{"b":2}],"c":3,"d":4}"#, "$.d"),
            (br"7", "$"),
        ] {
            let difference = first_difference(found, expected, Agreement::Same);
            assert_eq!(difference.as_deref(), Some(path));
        }
        assert_eq!(first_difference(expected, expected, Agreement::Same), None);
        assert_eq!(first_difference(b"not json", expected, Agreement::Same), None);
    }

    #[test]
    fn another_revision_may_say_more_and_differ_in_the_tenth_digit() {
        let expected = br#"{"a":[1,{"b":0.25}],"c":3,"new":7}"#;
        let differs = |found: &[u8]| first_difference(found, expected, Agreement::Close);
        assert_eq!(differs(br#"{"a":[1,{"b":0.2500000000001}],"c":3}"#), None);
        assert_eq!(differs(br#"{"a":[1,{"b":0.25000001}],"c":3}"#).as_deref(), Some("$.a[1].b"));
        assert_eq!(differs(br#"{"a":[1,{"b":0.25}],"c":4}"#).as_deref(), Some("$.c"));
        assert_eq!(differs(br#"{"a":[1,{"b":0.25}],"c":3,"old":1}"#).as_deref(), Some("$.old"));
        assert_eq!(differs(br#"{"a":[1],"c":3}"#).as_deref(), Some("$.a[1]"));
    }
}
