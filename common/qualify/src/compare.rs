//! The pass rule of the oracle cases.
//!
//! A number passes iff `|got − expected| <= abs + rel · |expected|`; the tolerance may be overridden
//! by the dotted path, the first key or the last key, in this order, list positions left out.
//! `"NaN"` means not estimable, `"Infinity"` is infinite. Keys that end in `informational` and the
//! key `status` are not compared; keys that only the result has are ignored.

use serde_json::Value;

/// A place where a result differs from its oracle.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Dotted path from the root of what was expected.
    pub path: String,
    /// What was expected there.
    pub expected: Value,
    /// What the engine gave; null where it gave nothing.
    pub got: Value,
    /// How far the two are apart, in the tolerance there: up to 1 passes. `None` where they are not both
    /// numbers, or the tolerance is 0.
    pub in_tolerances: Option<f64>,
}

/// A result beside its oracle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    /// Whether every field is within its tolerance.
    pub(crate) is_within: bool,
    /// The first field that does not compare as a number, else the one that differs most; `None`
    /// where there is no field.
    pub(crate) worst: Option<Difference>,
}

/// Compares all of `expected` with `got` under `tolerance`.
pub(crate) fn compare(expected: &Value, got: &Value, tolerance: &Value) -> Comparison {
    let mut walk = Walk { tolerance, path: Vec::new(), is_within: true, worst: None };
    walk.value(expected, got);
    Comparison { is_within: walk.is_within, worst: walk.worst }
}

struct Walk<'a> {
    tolerance: &'a Value,
    path: Vec<String>,
    is_within: bool,
    worst: Option<Difference>,
}

/// How two leaves compare.
enum Leaves {
    /// Both say the same without a number between them: equal texts, both not estimable.
    Same,
    /// They cannot be brought together.
    Different,
    /// Two numbers, so many tolerances apart; infinitely many where there is no tolerance.
    Apart(f64),
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
                    return self.differ(expected, got, None);
                }
                for (index, value) in values.iter().enumerate() {
                    self.child(index.to_string(), value, got.get(index));
                }
            }
            leaf => match leaves(leaf, got, self.tolerance, &self.path) {
                Leaves::Same => {}
                Leaves::Different => self.differ(leaf, got, None),
                Leaves::Apart(by) if by > 1.0 => self.differ(leaf, got, Some(by)),
                Leaves::Apart(by) => self.note(leaf, got, Some(by)),
            },
        }
    }

    fn child(&mut self, key: String, expected: &Value, got: Option<&Value>) {
        self.path.push(key);
        match got {
            Some(got) => self.value(expected, got),
            None => self.differ(expected, &Value::Null, None),
        }
        self.path.pop();
    }

    fn differ(&mut self, expected: &Value, got: &Value, by: Option<f64>) {
        self.is_within = false;
        self.note(expected, got, by);
    }

    fn note(&mut self, expected: &Value, got: &Value, by: Option<f64>) {
        let size = |by: Option<f64>| by.unwrap_or(f64::INFINITY);
        if self.worst.as_ref().is_none_or(|worst| size(by) > size(worst.in_tolerances)) {
            let (expected, got) = (expected.clone(), got.clone());
            let in_tolerances = by.filter(|by| by.is_finite());
            self.worst =
                Some(Difference { path: self.path.join("."), expected, got, in_tolerances });
        }
    }
}

fn leaves(expected: &Value, got: &Value, tolerance: &Value, path: &[String]) -> Leaves {
    let same = |same: bool| if same { Leaves::Same } else { Leaves::Different };
    let (Some(want), got_number) = (number(expected), number(got)) else {
        // R prints what is not there as null; a site's number may be its name.
        let is_none = expected.is_null() && got.as_str() == Some("NaN");
        return same(expected == got || is_none || expected.as_str() == Some(&got.to_string()));
    };
    if want.is_nan() {
        return same(got.is_null() || got.is_string() && got_number.is_none_or(f64::is_nan));
    }
    let Some(got) = got_number.filter(|got| !got.is_nan()) else { return Leaves::Different };
    if want.is_infinite() {
        return same(got.is_infinite() && got.is_sign_positive() == want.is_sign_positive());
    }
    let (absolute, relative) = tolerance_at(tolerance, path);
    let (apart, allowed) = ((want - got).abs(), absolute + relative * want.abs());
    if apart <= 0.0 { Leaves::Apart(0.0) } else { Leaves::Apart(apart / allowed) }
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
    use serde_json::json;

    use super::*;

    /// Where `got` fails; empty where it passes.
    fn failing(expected: &Value, got: &Value, tolerance: &Value) -> String {
        let comparison = compare(expected, got, tolerance);
        let worst = comparison.worst.map(|worst| worst.path).unwrap_or_default();
        if comparison.is_within { String::new() } else { worst }
    }

    #[test]
    fn equal_results_pass_and_extra_keys_are_ignored() {
        let expected = json!({"a": 1.0, "b": ["NaN", {"c": "Infinity"}], "status": ["x"]});
        let got = json!({"a": 1.0, "b": ["NaN", {"c": "Infinity"}], "more": 3});
        assert_eq!(failing(&expected, &got, &json!({"abs": 0.0})), "");
    }

    #[test]
    fn a_number_outside_the_tolerance_fails_and_one_within_is_measured_in_it() {
        let tolerance = json!({"abs": 1e-3, "rel": 1e-3});
        let expected = json!({"a": {"b": 100.0, "c": 1.0}});
        let near = compare(&expected, &json!({"a": {"b": 100.05, "c": 1.0}}), &tolerance);
        let worst = near.worst.unwrap();
        assert!(near.is_within && worst.path == "a.b");
        assert!((worst.in_tolerances.unwrap() - 0.05 / 0.101).abs() < 1e-9);
        assert_eq!(failing(&expected, &json!({"a": {"b": 100.2, "c": 1.0}}), &tolerance), "a.b");
    }

    #[test]
    fn without_a_tolerance_only_the_same_number_passes() {
        let none = json!({});
        assert_eq!(failing(&json!({"a": 1.5}), &json!({"a": 1.5}), &none), "");
        assert_eq!(failing(&json!({"a": 1.5}), &json!({"a": 1.500_000_1}), &none), "a");
    }

    #[test]
    fn overrides_go_by_path_then_first_then_last_key() {
        let tolerance = json!({"abs": 0.0, "fields": {
            "a.c": {"abs": 10.0}, "a": {"abs": 1.0}, "z": {"abs": 5.0}}});
        let expected = json!({"a": {"c": [0.0], "z": 0.0}, "q": {"z": 0.0}});
        let got = json!({"a": {"c": [9.0], "z": 4.0}, "q": {"z": 4.0}});
        assert_eq!(failing(&expected, &got, &tolerance), "a.z");
    }

    #[test]
    fn a_number_for_nan_and_nan_for_a_number_fail() {
        let none = json!({"abs": 1e9, "rel": 1e9});
        assert_eq!(failing(&json!({"a": "NaN"}), &json!({"a": 0.5}), &none), "a");
        assert_eq!(failing(&json!({"a": 0.5}), &json!({"a": "NaN"}), &none), "a");
        assert_eq!(failing(&json!({"a": 0.5}), &json!({"a": null}), &none), "a");
        assert_eq!(failing(&json!({"a": "NaN"}), &json!({"a": "NaN"}), &none), "");
    }

    #[test]
    fn infinities_have_a_sign() {
        let none = json!({"abs": 1e9, "rel": 1e9});
        let expected = json!({"a": "Infinity"});
        assert_eq!(failing(&expected, &json!({"a": "-Infinity"}), &none), "a");
        assert_eq!(failing(&expected, &json!({"a": 1e300}), &none), "a");
    }

    #[test]
    fn a_missing_key_a_wrong_length_and_a_wrong_text_fail() {
        let none = json!({});
        assert_eq!(failing(&json!({"a": [1, 2]}), &json!({"a": [1]}), &none), "a");
        assert_eq!(failing(&json!({"b": 1}), &json!({}), &none), "b");
        assert_eq!(failing(&json!({"c": "site1"}), &json!({"c": "site2"}), &none), "c");
        assert_eq!(failing(&json!({"d": {"e": 1}}), &json!({"d": 7}), &none), "d.e");
    }
}
