//! Tables for spreadsheets and scripts: CSV (RFC 4180), numbers in full.
//!
//! A missing number is an empty field with its reason in the column `reason`. Text that a spreadsheet would
//! take for a formula is given an apostrophe, so that no name of a site or group can run anything.

use crate::report::{Estimable, Reason};

/// A table under way.
#[derive(Debug, Clone)]
pub(crate) struct Csv(String);

/// One field.
pub(crate) enum Field<'a> {
    Text(&'a str),
    Number(f64),
    Count(u64),
    Empty,
}

impl Csv {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.row(columns.iter().map(|column| Field::Text(column)));
        table
    }

    pub(crate) fn row<'a>(&mut self, fields: impl IntoIterator<Item = Field<'a>>) {
        for (index, field) in fields.into_iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            match field {
                Field::Text(text) => self.0.push_str(&quoted(&harmless(text))),
                Field::Number(number) => self.0.push_str(&number.to_string()),
                Field::Count(count) => self.0.push_str(&count.to_string()),
                Field::Empty => {}
            }
        }
        self.0.push_str("\r\n");
    }

    pub(crate) const fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl From<Option<f64>> for Field<'_> {
    fn from(number: Option<f64>) -> Self {
        number.map_or(Field::Empty, Field::Number)
    }
}

impl From<Option<u64>> for Field<'_> {
    fn from(count: Option<u64>) -> Self {
        count.map_or(Field::Empty, Field::Count)
    }
}

impl From<Option<Reason>> for Field<'_> {
    fn from(reason: Option<Reason>) -> Self {
        reason.map_or(Field::Empty, |reason| Field::Text(reason.code()))
    }
}

/// The limits of an interval as two fields.
pub(crate) fn limits(ci: &Estimable<[f64; 2]>) -> [Field<'static>; 2] {
    let ends = ci.value().copied();
    [ends.map(|[lower, _]| lower).into(), ends.map(|[_, upper]| upper).into()]
}

/// Why there is no number, as a code.
pub(crate) fn reason<T>(value: &Estimable<T>) -> Field<'static> {
    value.reason().into()
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula_and_no_comma_ends_one() {
        let mut table = Csv::new(&["name", "number", "none"]);
        let fields = [Field::Text("=cmd|' /C calc'!A0"), Field::Number(-0.25), Field::Empty];
        table.row(fields);
        table.row([Field::Text("a \"b\", c"), Field::Count(3), None::<f64>.into()]);
        assert_eq!(
            table.0,
            "name,number,none\r\n'=cmd|' /C calc'!A0,-0.25,\r\n\"a \"\"b\"\", c\",3,\r\n"
        );
        for begins in ["+1", "-1", "@SUM(A1)", "\t=1", "%x"] {
            assert!(harmless(begins).starts_with('\''), "{begins}");
        }
    }
}
