//! Where two JSON documents first differ.

use std::collections::BTreeSet;

use serde_json::Value;

/// The first path, in the order of keys, at which `found` and `expected` differ.
///
/// `None` where both hold the same values, or where one of them is no JSON at all.
pub(super) fn first_difference(found: &[u8], expected: &[u8]) -> Option<String> {
    let found: Value = serde_json::from_slice(found).ok()?;
    let expected: Value = serde_json::from_slice(expected).ok()?;
    below("$".to_owned(), &found, &expected)
}

/// Depth is bounded by the JSON reader, which refuses documents nested deeper than 128.
fn below(path: String, found: &Value, expected: &Value) -> Option<String> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let keys: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
            keys.into_iter().find_map(|key| {
                let path = format!("{path}.{}", super::printable(key));
                match (found.get(key), expected.get(key)) {
                    (Some(found), Some(expected)) => below(path, found, expected),
                    _ => Some(path),
                }
            })
        }
        (Value::Array(found), Value::Array(expected)) => {
            let differing =
                found.iter().zip(expected).enumerate().find_map(|(index, (found, expected))| {
                    below(format!("{path}[{index}]"), found, expected)
                });
            let shorter = found.len().min(expected.len());
            let lengths_differ = found.len() != expected.len();
            differing.or_else(|| lengths_differ.then(|| format!("{path}[{shorter}]")))
        }
        _ => (found != expected).then_some(path),
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
            assert_eq!(first_difference(found, expected).as_deref(), Some(path));
        }
        assert_eq!(first_difference(expected, expected), None);
        assert_eq!(first_difference(b"not json", expected), None);
    }
}
