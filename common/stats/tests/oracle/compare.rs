//! The pass rule of the oracle cases.
//!
//! A number passes iff `|got − expected| <= abs + rel · |expected|`; the tolerance may be overridden
//! by the dotted path, the first key or the last key, in this order, list positions left out.
//! `"NaN"` means not estimable, `"Infinity"` is infinite. Keys that end in `informational` and the
//! key `status` are not compared; keys that only the result has are ignored.

use serde_json::Value;

/// A place where a result differs from its oracle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Dotted path from the root of `expected`.
    pub(crate) path: String,
    /// What differs.
    pub(crate) what: String,
}

/// All differences between `expected` and `got` under `tolerance`.
pub(crate) fn compare(expected: &Value, got: &Value, tolerance: &Value) -> Vec<Difference> {
    let mut walk = Walk { tolerance, path: Vec::new(), differences: Vec::new() };
    walk.value(expected, got);
    walk.differences
}

struct Walk<'a> {
    tolerance: &'a Value,
    path: Vec<String>,
    differences: Vec<Difference>,
}

impl Walk<'_> {
    fn value(&mut self, expected: &Value, got: &Value) {
        match expected {
            Value::Object(fields) => {
                let compared = |key: &String| !key.ends_with("informational") && key != "status";
                for (key, value) in fields.iter().filter(|(key, _)| compared(key)) {
                    self.child(key.clone(), value, got.get(key));
                }
            }
            Value::Array(values) => {
                if got.as_array().is_none_or(|got| got.len() != values.len()) {
                    return self.differ("length".to_owned());
                }
                for (index, value) in values.iter().enumerate() {
                    self.child(index.to_string(), value, got.get(index));
                }
            }
            leaf => {
                if !leaf_passes(leaf, got, self.tolerance, &self.path) {
                    self.differ(format!("{expected} v {got}"));
                }
            }
        }
    }

    fn child(&mut self, key: String, expected: &Value, got: Option<&Value>) {
        self.path.push(key);
        match got {
            Some(got) => self.value(expected, got),
            None => self.differ("missing".to_owned()),
        }
        self.path.pop();
    }

    fn differ(&mut self, what: String) {
        self.differences.push(Difference { path: self.path.join("."), what });
    }
}

fn leaf_passes(expected: &Value, got: &Value, tolerance: &Value, path: &[String]) -> bool {
    let (Some(want), got_number) = (number(expected), number(got)) else {
        return expected == got;
    };
    if want.is_nan() {
        return got.is_null() || got.is_string() && got_number.is_none_or(f64::is_nan);
    }
    let Some(got) = got_number.filter(|got| !got.is_nan()) else {
        return false;
    };
    if want.is_infinite() {
        return got.is_infinite() && got.is_sign_positive() == want.is_sign_positive();
    }
    let (absolute, relative) = tolerance_at(tolerance, path);
    (want - got).abs() <= absolute + relative * want.abs()
}

/// A number, or its name as text.
fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(_) => None,
        None => value.as_f64(),
    }
}

fn tolerance_at(tolerance: &Value, path: &[String]) -> (f64, f64) {
    let is_position = |key: &&String| key.bytes().all(|byte| byte.is_ascii_digit());
    let keys: Vec<&String> = path.iter().filter(|key| !is_position(key)).collect();
    let dotted = keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(".");
    let first = keys.first().map_or("", |key| key.as_str());
    let last = keys.last().map_or("", |key| key.as_str());
    let fields = &tolerance["fields"];
    let found = [dotted.as_str(), first, last]
        .into_iter()
        .map(|key| &fields[key])
        .find(|field| field.is_object())
        .unwrap_or(tolerance);
    (found["abs"].as_f64().unwrap_or(0.0), found["rel"].as_f64().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(expected: &Value, got: &Value, tolerance: &Value) -> Vec<String> {
        compare(expected, got, tolerance).into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn equal_results_pass_and_extra_keys_are_ignored() {
        let expected = json!({"a": 1.0, "b": ["NaN", {"c": "Infinity"}], "status": ["x"]});
        let got = json!({"a": 1.0, "b": ["NaN", {"c": "Infinity"}], "more": 3});
        assert_eq!(paths(&expected, &got, &json!({"abs": 0.0})), Vec::<String>::new());
    }

    #[test]
    fn a_number_outside_the_tolerance_fails() {
        let tolerance = json!({"abs": 1e-3, "rel": 1e-3});
        let expected = json!({"a": {"b": 100.0}});
        assert!(paths(&expected, &json!({"a": {"b": 100.1}}), &tolerance).is_empty());
        assert_eq!(paths(&expected, &json!({"a": {"b": 100.2}}), &tolerance), ["a.b"]);
    }

    #[test]
    fn overrides_go_by_path_then_first_then_last_key() {
        let tolerance = json!({"abs": 0.0, "fields": {
            "a.c": {"abs": 10.0}, "a": {"abs": 1.0}, "z": {"abs": 5.0}}});
        let expected = json!({"a": {"c": [0.0], "z": 0.0}, "q": {"z": 0.0}});
        let got = json!({"a": {"c": [9.0], "z": 4.0}, "q": {"z": 4.0}});
        assert_eq!(paths(&expected, &got, &tolerance), ["a.z"]);
    }

    #[test]
    fn a_number_for_nan_and_nan_for_a_number_fail() {
        let none = json!({"abs": 1e9, "rel": 1e9});
        assert_eq!(paths(&json!({"a": "NaN"}), &json!({"a": 0.5}), &none), ["a"]);
        assert_eq!(paths(&json!({"a": 0.5}), &json!({"a": "NaN"}), &none), ["a"]);
        assert_eq!(paths(&json!({"a": 0.5}), &json!({"a": null}), &none), ["a"]);
        assert!(paths(&json!({"a": "NaN"}), &json!({"a": "NaN"}), &none).is_empty());
    }

    #[test]
    fn infinities_have_a_sign() {
        let none = json!({"abs": 1e9, "rel": 1e9});
        let expected = json!({"a": "Infinity"});
        assert_eq!(paths(&expected, &json!({"a": "-Infinity"}), &none), ["a"]);
        assert_eq!(paths(&expected, &json!({"a": 1e300}), &none), ["a"]);
    }

    #[test]
    fn a_missing_key_a_wrong_length_and_a_wrong_text_fail() {
        let none = json!({});
        let expected = json!({"a": [1, 2], "b": 1, "c": "site1", "d": {"e": 1}});
        let got = json!({"a": [1], "c": "site2", "d": 7});
        assert_eq!(paths(&expected, &got, &none), ["a", "b", "c", "d.e"]);
    }
}
