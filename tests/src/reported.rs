//! What stands in a report.

use serde_json::Value;

/// The number at a JSON pointer.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {value}"))
}

/// The section of a site.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn site<'r>(report: &'r Value, name: &str) -> &'r Value {
    let sites = report["sites"].as_array().expect("a list");
    sites.iter().find(|site| site["id"] == name).expect("the site")
}

/// # Panics
///
/// If a number is further than `room` from the one that was expected.
pub fn near(what: &str, got: f64, expected: f64, room: f64) {
    assert!((got - expected).abs() <= room, "{what}: got {got}, expected {expected}");
}
