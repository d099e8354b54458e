//! Numbers and reasons in the shape of the oracles.
//!
//! A reason becomes `"NaN"`, which is how the oracles say "not estimable".

use fedval_stats::{Interval, NotEstimable};
use serde_json::{Value, json};

/// What stands for a reason.
pub(crate) const NOT_ESTIMABLE: &str = "NaN";

/// A number, or "NaN" in the place of a reason.
pub(crate) fn cell(number: Result<f64, NotEstimable>) -> Value {
    number.map_or_else(|_| json!(NOT_ESTIMABLE), Value::from)
}

/// Two limits, or two "NaN" in the place of a reason.
pub(crate) fn limits(limits: Result<(f64, f64), NotEstimable>) -> Value {
    let none = |_| json!([NOT_ESTIMABLE, NOT_ESTIMABLE]);
    limits.map_or_else(none, |(lower, upper)| json!([lower, upper]))
}

/// The limits of an interval.
pub(crate) fn ends(interval: Result<Interval, NotEstimable>) -> Value {
    limits(interval.map(|interval| (interval.lower, interval.upper)))
}

/// One object of the fields of both.
pub(crate) fn joined(mut first: Value, second: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (first.as_object_mut(), second) {
        fields.extend(more);
    }
    first
}
