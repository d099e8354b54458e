//! What a manifest says of a case beyond its test and its reference standard.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Values by the protocol's column names; an empty cell is absent.
///
/// Names are the same of every case, and so are most values: each is in memory once, whatever the number of cases.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attributes(Box<[(Arc<str>, Arc<str>)]>);

impl Attributes {
    /// Whether the case has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value in a column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| **name == *column);
        found.map(|(_, value)| &**value)
    }

    /// Names with values, in the order of names.
    pub(super) fn entries(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.0
    }
}

impl fmt::Debug for Attributes {
    /// As a map in the order of names. Checkpoints are held against digests of this: it never changes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name, value))).finish()
    }
}

impl<N: Into<Arc<str>>, V: Into<Arc<str>>> FromIterator<(N, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut entries: Vec<(Arc<str>, Arc<str>)> =
            entries.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Self(entries.into())
    }
}

/// Most values that are remembered: categories are few, and a column of measurements gains nothing.
const MOST_VALUES: usize = 10_000;

/// Values that cases had before, by their number.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedValues {
    values: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, usize>,
}

impl SharedValues {
    /// The value's number; `None` where there are so many that it is not remembered.
    pub(super) fn number(&mut self, value: &Arc<str>) -> Option<usize> {
        if let Some(number) = self.numbers.get(value) {
            return Some(*number);
        }
        let number = self.values.len();
        (number < MOST_VALUES).then(|| {
            self.values.push(Arc::clone(value));
            self.numbers.insert(Arc::clone(value), number);
            number
        })
    }

    /// The value with a number.
    pub(super) fn get(&self, number: usize) -> Option<&Arc<str>> {
        self.values.get(number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn attributes_look_as_the_map_did_that_checkpoints_were_digested_with() {
        let entries = [("sex", "F"), ("age", "4\"0"), ("site", "ö")];
        let map: BTreeMap<String, String> =
            entries.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let attributes: Attributes = entries.into_iter().collect();
        assert_eq!(format!("{attributes:?}"), format!("{map:?}"));
        assert_eq!(format!("{:?}", Attributes::default()), "{}");
        assert_eq!((attributes.get("age"), attributes.get("a")), (Some("4\"0"), None));
    }

    #[test]
    fn a_value_that_was_there_is_not_there_twice() {
        let mut values = SharedValues::default();
        let mut number = |value: &str| values.number(&value.into());
        assert_eq!((number("F"), number("M"), number("F")), (Some(0), Some(1), Some(0)));
        assert_eq!(values.get(1).map(|value| &**value), Some("M"));
    }

    #[test]
    fn of_a_column_of_measurements_no_more_is_remembered_than_some_thousands() {
        let mut values = SharedValues::default();
        let mut number = |value: usize| values.number(&value.to_string().into());
        assert!((0..MOST_VALUES).all(|value| number(value) == Some(value)));
        assert_eq!((number(MOST_VALUES), number(7)), (None, Some(7)));
    }
}
