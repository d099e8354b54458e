//! What a subgroup dictionary may not say (disclosure rule DC-16): crossings of more than two
//! dimensions or in a circle, and groups by date.

use std::collections::BTreeMap;

use super::Breaches;
use crate::protocol::{AttributeSource, Crossing, Dimension, Grouping, StudyProtocol};

/// Most crossings: more than one fewer than the dimensions would close a circle.
const MAX_CROSSINGS: usize = 3;
/// From here on a number is a date such as 20260131, not an attribute.
const DATE_LIKE: f64 = 1_000_000.0;

pub(super) fn check(protocol: &StudyProtocol, found: &mut Breaches) {
    for (index, dimension) in protocol.subgroups.iter().enumerate() {
        check_dates(&format!("subgroups[{index}]"), dimension, found);
    }
    let crossings = &protocol.crossings;
    found.unless(
        crossings.len() <= MAX_CROSSINGS,
        "crossings",
        "has more than 3 entries (disclosure rule DC-16)",
        "keep the pairs that the question needs",
    );
    let dimensions = protocol.subgroups.iter().map(|d| d.name.as_str());
    let names = dimensions.chain(crossings.iter().map(|c| c.name.as_str()));
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        let what = format!("`{name}` names two tables");
        found.unless(seen.insert(name), "crossings", what, "give each table its own name");
    }
    let mut joined = Joined::default();
    for (index, crossing) in crossings.iter().enumerate() {
        check_crossing(&format!("crossings[{index}]"), crossing, protocol, found);
        found.unless(
            joined.join(crossing.rows.as_str(), crossing.columns.as_str()),
            format!("crossings[{index}]"),
            "closes a circle of crossings (disclosure rule DC-16)",
            "leave one out: margins around a circle can give a cell of three dimensions away",
        );
    }
}

fn check_crossing(path: &str, crossing: &Crossing, protocol: &StudyProtocol, found: &mut Breaches) {
    let of = |name: &crate::Name| protocol.subgroups.iter().find(|d| d.name == *name);
    for (key, name) in [("rows", &crossing.rows), ("columns", &crossing.columns)] {
        found.unless(
            of(name).is_some(),
            format!("{path}.{key}"),
            format!("names no dimension: `{name}`"),
            "use the name of one of the [[subgroups]]",
        );
    }
    let (Some(rows), Some(columns)) = (of(&crossing.rows), of(&crossing.columns)) else { return };
    let longest = |d: &Dimension| d.category_names().iter().map(|n| n.as_str().len()).max();
    let length = longest(rows).unwrap_or(0) + longest(columns).unwrap_or(0) + 1;
    found.unless(
        length <= crate::id::MAX_ID_LENGTH,
        path,
        "has cells whose names are longer than 63 characters",
        "shorten the categories' names",
    );
    let mut seen = std::collections::BTreeSet::new();
    for row in rows.category_names() {
        for column in columns.category_names() {
            found.unless(
                seen.insert(format!("{row}-{column}")),
                path,
                format!("has two cells named `{row}-{column}`"),
                "rename a category",
            );
        }
    }
}

fn check_dates(path: &str, dimension: &Dimension, found: &mut Breaches) {
    let by = match &dimension.source {
        AttributeSource::Column(name) | AttributeSource::Dicom(name) => name.to_lowercase(),
    };
    found.unless(
        !by.contains("date") && !by.contains("time"),
        path,
        "groups by date or time (disclosure rule DC-16)",
        "a window of dates singles patients out; dispatch a round for each quarter instead",
    );
    let is_date = match &dimension.grouping {
        Grouping::Categories(categories) => {
            categories.iter().flat_map(|c| &c.values).any(|value| looks_like_a_date(value))
        }
        Grouping::Bands(bands) => {
            bands.iter().any(|b| b.from.abs() >= DATE_LIKE || b.below.abs() >= DATE_LIKE)
        }
    };
    found.unless(
        !is_date,
        path,
        "has dates among its values (disclosure rule DC-16)",
        "group by an attribute of patient or scanner",
    );
}

/// Eight digits, with or without two separators.
fn looks_like_a_date(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    digits == 8 && value.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '/' | '.'))
}

/// Dimensions that crossings connect.
#[derive(Default)]
struct Joined<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Joined<'a> {
    fn root(&self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, |above| self.root(above))
    }

    /// Connects two; `false` where they were connected before.
    fn join(&mut self, left: &'a str, right: &'a str) -> bool {
        let (left, right) = (self.root(left), self.root(right));
        if left != right {
            self.0.insert(left, right);
        }
        left != right
    }
}
