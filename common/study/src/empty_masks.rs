//! Patients in whom a mask is empty: counted by kind, and in no mean.

use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;

/// Patients of a study of masks without any measure.
///
/// With those in whom both masks hold the structure they are a table of two by two: whether the reference standard has
/// it, and whether the model found it. Only denominators are held to a minimum, as in other such tables: were a small
/// count of misses kept back, what is left would look better than it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmptyMasks {
    /// The reference standard has the structure, and the model missed it.
    #[serde(serialize_with = "exact_u64")]
    pub missed: u64,
    /// Of patients without the structure; absent where they are too few to be told of, nobody included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_structure: Option<WithoutStructure>,
}

/// Patients in whom the reference standard has no structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithoutStructure {
    /// The model found none.
    #[serde(serialize_with = "exact_u64")]
    pub neither: u64,
    /// The model found one.
    #[serde(serialize_with = "exact_u64")]
    pub spurious: u64,
}

impl WithoutStructure {
    /// All of them (saturating).
    #[must_use]
    pub const fn patients(&self) -> u64 {
        self.neither.saturating_add(self.spurious)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_told_of_has_no_key() {
        let few = EmptyMasks { missed: 3, without_structure: None };
        assert_eq!(serde_json::to_string(&few).unwrap(), r#"{"missed":3}"#);
        let without = WithoutStructure { neither: 11, spurious: 2 };
        let both = EmptyMasks { missed: 0, without_structure: Some(without) };
        let text = serde_json::to_string(&both).unwrap();
        assert_eq!(text, r#"{"missed":0,"without_structure":{"neither":11,"spurious":2}}"#);
        assert_eq!(serde_json::from_str::<EmptyMasks>(&text).unwrap(), both);
        assert!(serde_json::from_str::<EmptyMasks>(r#"{"missed":0,"worst":9}"#).is_err());
    }
}
