//! A value, or the reason why there is none: never zero, never null, never NaN.

use serde::{Deserialize, Serialize};

use super::reason::Reason;

/// A value, or `{"not_estimable":"reason"}` in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Estimable<T> {
    /// No value. Stands first so that no value is ever read where a reason is written.
    NotEstimable {
        /// The reason.
        not_estimable: Reason,
    },
    /// The value.
    Estimated(T),
}

impl<T> Estimable<T> {
    /// No value, for `reason`.
    pub(crate) fn not(reason: impl Into<Reason>) -> Self {
        Self::NotEstimable { not_estimable: reason.into() }
    }

    /// The value, where there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Estimated(value) => Some(value),
            Self::NotEstimable { .. } => None,
        }
    }

    /// The reason, where there is no value.
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Estimated(_) => None,
            Self::NotEstimable { not_estimable } => Some(*not_estimable),
        }
    }
}

impl<T, E: Into<Reason>> From<Result<T, E>> for Estimable<T> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(value) => Self::Estimated(value),
            Err(reason) => Self::not(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_and_a_reason_survive_their_json() {
        for (estimable, json) in [
            (Estimable::Estimated(0.25), "0.25"),
            (Estimable::not(Reason::TooFewSites), r#"{"not_estimable":"too_few_sites"}"#),
        ] {
            assert_eq!(serde_json::to_string(&estimable).unwrap(), json);
            assert_eq!(serde_json::from_str::<Estimable<f64>>(json).unwrap(), estimable);
        }
        assert!(serde_json::from_str::<Estimable<f64>>(r#"{"not_estimable":"bad luck"}"#).is_err());
    }
}
