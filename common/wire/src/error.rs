//! A message that breaks the contract.

use fedval_study::Problem;

/// A field is absent, of the wrong length, or out of its declared range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}` {expected}")]
pub struct WireError {
    /// The field, by its name in the contract.
    pub field: &'static str,
    /// What it must be.
    pub expected: &'static str,
}

impl WireError {
    pub(crate) const fn new(field: &'static str, expected: &'static str) -> Self {
        Self { field, expected }
    }

    pub(crate) const fn missing(field: &'static str) -> Self {
        Self::new(field, "must be present")
    }
}

impl Problem for WireError {
    fn code(&self) -> &'static str {
        "MESSAGE_INVALID"
    }

    fn remedy(&self) -> Option<String> {
        Some("run the same release of fedval on both sides".to_owned())
    }
}
