//! Reading a case's input: every value by its place, so that one that is missing can be named.

use serde_json::Value;

/// A case's input is not what its topic needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the input's `{path}` is missing or of another kind than its topic needs")]
pub struct Malformed {
    /// Where, with dots.
    pub path: String,
}

/// A part of an input, and its place.
#[derive(Debug, Clone)]
pub(crate) struct Input<'c> {
    value: &'c Value,
    path: String,
}

impl<'c> Input<'c> {
    /// The whole input of a case.
    pub(crate) const fn new(value: &'c Value) -> Self {
        Self { value, path: String::new() }
    }

    fn malformed(&self) -> Malformed {
        Malformed { path: self.path.clone() }
    }

    fn child(&self, key: &str, value: &'c Value) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self { value, path: format!("{}{dot}{key}", self.path) }
    }

    /// The field `key`.
    pub(crate) fn at(&self, key: &str) -> Result<Self, Malformed> {
        let field = self.child(key, &Value::Null);
        self.find(key).ok_or_else(|| field.malformed())
    }

    /// The field `key`, where there is one.
    pub(crate) fn find(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(self.child(key, value))
    }

    /// The elements of a list.
    pub(crate) fn list(&self) -> Result<Vec<Self>, Malformed> {
        let values = self.value.as_array().ok_or_else(|| self.malformed())?;
        Ok(values.iter().enumerate().map(|(i, value)| self.child(&i.to_string(), value)).collect())
    }

    /// A number.
    pub(crate) fn number(&self) -> Result<f64, Malformed> {
        self.value.as_f64().ok_or_else(|| self.malformed())
    }

    /// A number that is not negative and whole, also where it is written as 3.0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and in the range that a float counts exactly"
    )]
    pub(crate) fn count(&self) -> Result<u64, Malformed> {
        let is_whole = |number: &f64| (0.0..9e15).contains(number) && number.fract() == 0.0;
        let written = || self.value.as_f64().filter(is_whole).map(|number| number as u64);
        self.value.as_u64().or_else(written).ok_or_else(|| self.malformed())
    }

    /// A count that fits a length.
    pub(crate) fn size(&self) -> Result<usize, Malformed> {
        usize::try_from(self.count()?).map_err(|_| self.malformed())
    }

    /// A text.
    pub(crate) fn text(&self) -> Result<&'c str, Malformed> {
        self.value.as_str().ok_or_else(|| self.malformed())
    }

    /// Yes or no: as such, or as 1 and 0.
    pub(crate) fn flag(&self) -> Result<bool, Malformed> {
        match (self.value.as_bool(), self.count()) {
            (Some(flag), _) => Ok(flag),
            (None, Ok(number @ (0 | 1))) => Ok(number == 1),
            _ => Err(self.malformed()),
        }
    }

    /// What stands there, as it stands.
    pub(crate) fn raw(&self) -> Value {
        self.value.clone()
    }

    fn each<T>(&self, read: impl Fn(&Self) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
        self.list()?.iter().map(read).collect()
    }

    /// A list of numbers.
    pub(crate) fn numbers(&self) -> Result<Vec<f64>, Malformed> {
        self.each(Self::number)
    }

    /// A list of counts.
    pub(crate) fn counts(&self) -> Result<Vec<u64>, Malformed> {
        self.each(Self::count)
    }

    /// A list of labels.
    pub(crate) fn flags(&self) -> Result<Vec<bool>, Malformed> {
        self.each(Self::flag)
    }

    /// A list of lists of numbers.
    pub(crate) fn matrix(&self) -> Result<Vec<Vec<f64>>, Malformed> {
        self.each(Self::numbers)
    }

    /// A value that the engine refuses, as a malformed input.
    pub(crate) fn accept<T, E>(&self, value: Result<T, E>) -> Result<T, Malformed> {
        value.map_err(|_| self.malformed())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_of_another_kind_is_named_by_its_place() {
        let value = json!({"sites": [{"y": [1, 0]}, {"y": [1, "x"]}], "none": null});
        let input = Input::new(&value);
        let sites = input.at("sites").unwrap().list().unwrap();
        assert_eq!(sites[0].at("y").unwrap().flags(), Ok(vec![true, false]));
        assert_eq!(sites[1].at("y").unwrap().flags().unwrap_err().path, "sites.1.y.1");
        let floats = json!([1.0, 0.0, 0.5]);
        let floats = Input::new(&floats).list().unwrap();
        assert_eq!((floats[0].flag(), floats[1].count()), (Ok(true), Ok(0)));
        assert!(floats[2].count().is_err() && floats[2].flag().is_err());
        assert_eq!(input.at("none").unwrap_err().path, "none");
        assert!(input.find("none").is_none());
    }
}
