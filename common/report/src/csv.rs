//! Tables for spreadsheets and scripts: CSV (RFC 4180), numbers in full.
//!
//! A missing number is an empty field with its reason in the column `reason`. Text that a spreadsheet would
//! take for a formula is given an apostrophe, so that no name of a site or group can run anything.

use std::fmt::Write as _;

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
            // A text takes whatever is written into it.
            let _ = match field {
                Field::Text(text) => {
                    self.text(text);
                    Ok(())
                }
                Field::Number(number) => write!(self.0, "{number}"),
                Field::Count(count) => {
                    self.0.push_str(itoa::Buffer::new().format(count));
                    Ok(())
                }
                Field::Empty => Ok(()),
            };
        }
        self.0.push_str("\r\n");
    }

    /// A text that no spreadsheet takes for a formula, in quotes where it must be.
    fn text(&mut self, text: &str) {
        let guard = if is_formula(text) { "'" } else { "" };
        if text.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n')) {
            let _ = write!(self.0, "\"{guard}{}\"", text.replace('"', "\"\""));
        } else {
            self.0.push_str(guard);
            self.0.push_str(text);
        }
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

/// Whether a spreadsheet takes the text for a formula.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%'])
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
            assert!(is_formula(begins), "{begins}");
        }
    }
}
