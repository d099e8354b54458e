//! The report as tables for spreadsheets and scripts: CSV (RFC 4180), numbers in full.
//!
//! A missing number is an empty field with its reason in the column `reason`. Text that a spreadsheet would
//! take for a formula is given an apostrophe, so that no name of a site or group can run anything.

mod gaps;
mod metrics;
mod sites;
mod subgroup_sites;
mod withheld;

use std::collections::BTreeMap;

use crate::report::{Estimable, Report};

/// A table under way.
struct Csv(String);

/// One field.
enum Field<'a> {
    Text(&'a str),
    Number(f64),
    Count(u64),
    Empty,
}

/// Every table, by its path in the package.
pub(crate) fn all(report: &Report) -> BTreeMap<String, String> {
    [
        ("sites", sites::table(report)),
        ("metrics", metrics::of_sites(report)),
        ("synthesis", metrics::synthesis(report)),
        ("subgroups", metrics::of_subgroups(report)),
        ("subgroup_sites", subgroup_sites::table(report)),
        ("operating_points", metrics::operating_points(report)),
        ("gaps", gaps::table(report)),
        ("withheld", withheld::table(report)),
    ]
    .into_iter()
    .map(|(name, table)| (format!("tables/{name}.csv"), table.0))
    .collect()
}

impl Csv {
    fn new(columns: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.row(columns.iter().map(|column| Field::Text(column)));
        table
    }

    fn row<'a>(&mut self, fields: impl IntoIterator<Item = Field<'a>>) {
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

/// The limits of an interval as two fields.
fn limits(ci: &Estimable<[f64; 2]>) -> [Field<'static>; 2] {
    let ends = ci.value().copied();
    [ends.map(|[lower, _]| lower).into(), ends.map(|[_, upper]| upper).into()]
}

/// Why there is no number, as a code.
fn reason<T>(value: &Estimable<T>) -> Field<'static> {
    value.reason().map_or(Field::Empty, |reason| Field::Text(reason.code()))
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
