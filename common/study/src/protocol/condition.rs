//! Several conditions of one image: each with a reference standard and a score of its own.

use serde::{Deserialize, Serialize};

use crate::id::Name;

/// Most conditions of a task: public sets of chest radiographs have fourteen.
pub const MOST_CONDITIONS: usize = 14;

/// A condition that the model looks for beside others, which a patient may have as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Its name.
    pub name: Name,
    /// The manifest's column of its reference standard.
    pub column: String,
    /// Values of the column that mean: not assessed, or uncertain. An empty cell means so too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Values that mean: has not.
    pub negative: Vec<String>,
    /// The protocol's operating points that are cut-offs of its score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operating_points: Vec<Name>,
    /// Values that mean: has the condition.
    pub positive: Vec<String>,
    /// Shares with the condition, strictly between 0 and 1, at which predictive values of its operating points are
    /// reported: those of the places where the model is to be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prevalences: Vec<f64>,
}

/// A value of a condition's column that the protocol does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownValue;

impl Condition {
    /// What a value of its column says; `None` where the reference standard is missing.
    ///
    /// # Errors
    ///
    /// [`UnknownValue`] of one that the protocol does not list: were it taken for missing, a misspelt table would pass.
    pub fn reference_of(&self, value: &str) -> Result<Option<bool>, UnknownValue> {
        let is_in = |values: &[String]| values.iter().any(|listed| listed == value);
        if is_in(&self.positive) {
            Ok(Some(true))
        } else if is_in(&self.negative) {
            Ok(Some(false))
        } else if value.is_empty() || is_in(&self.missing) {
            Ok(None)
        } else {
            Err(UnknownValue)
        }
    }
}

/// What the reference standard says of each condition of a task, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Assessed {
    /// A bit for each condition that was assessed.
    known: u16,
    /// A bit for each that is there; never one that was not assessed.
    present: u16,
}

impl Assessed {
    /// Notes that the condition at `place`, below [`MOST_CONDITIONS`], is there or is not.
    #[must_use]
    pub const fn with(self, place: usize, is_there: bool) -> Self {
        let bit = bit(place);
        let present = if is_there { self.present | bit } else { self.present & !bit };
        Self { known: self.known | bit, present }
    }

    /// Whether the condition at `place` is there; `None` where it was not assessed.
    #[must_use]
    pub const fn at(self, place: usize) -> Option<bool> {
        let bit = bit(place);
        if self.known & bit == 0 { None } else { Some(self.present & bit != 0) }
    }

    /// Whether no condition was assessed.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.known == 0
    }

    /// What two looks at one patient say together: a condition that any of them saw is there.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { known: self.known | other.known, present: self.present | other.present }
    }
}

/// No bit of a place beyond all.
const fn bit(place: usize) -> u16 {
    if place < MOST_CONDITIONS { 1 << place } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition() -> Condition {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Condition {
            name: "effusion".parse().unwrap(),
            column: "effusion".to_owned(),
            missing: texts(&["-1"]),
            negative: texts(&["0"]),
            operating_points: Vec::new(),
            positive: texts(&["1"]),
            prevalences: Vec::new(),
        }
    }

    #[test]
    fn a_value_says_yes_no_or_nothing_and_another_is_no_value() {
        let of = |value: &str| condition().reference_of(value);
        assert_eq!((of("1"), of("0")), (Ok(Some(true)), Ok(Some(false))));
        assert_eq!((of(""), of("-1")), (Ok(None), Ok(None)));
        for other in ["2", "1.0", " 1", "yes"] {
            assert_eq!(of(other), Err(UnknownValue), "{other}");
        }
    }

    #[test]
    fn each_condition_is_there_is_not_or_was_not_assessed() {
        let nothing = Assessed::default();
        assert!(
            nothing.is_empty() && (0..MOST_CONDITIONS).all(|place| nothing.at(place).is_none())
        );
        let first = nothing.with(0, true).with(2, false);
        assert_eq!([0, 1, 2].map(|place| first.at(place)), [Some(true), None, Some(false)]);
        let second = nothing.with(0, false).with(13, true);
        let both = first.or(second);
        assert_eq!([0, 1, 2, 13].map(|p| both.at(p)), [Some(true), None, Some(false), Some(true)]);
        assert_eq!(first.with(0, false).at(0), Some(false));
        assert_eq!(first.at(MOST_CONDITIONS), None);
    }
}
