//! The part of a draft that several conditions have, each with the cut-offs of its score.

use super::read::{ID, stand_in_name};
use super::reader::Fields;
use crate::protocol::{Condition, OperatingPoint};

/// The tables `conditions`, and the operating points of all of them.
pub(super) fn conditions_of(root: &Fields<'_, '_, '_>) -> (Vec<Condition>, Vec<OperatingPoint>) {
    let tables = root.tables("conditions", "write [[conditions]] tables");
    let mut points = Vec::new();
    let conditions = tables.iter().map(|table| condition_of(table, &mut points)).collect();
    (conditions, points)
}

fn condition_of(table: &Fields<'_, '_, '_>, points: &mut Vec<OperatingPoint>) -> Condition {
    let values = "list the column's values, such as [\"1\"]";
    let own = operating_points_of(table, "write [[conditions.operating_points]] tables");
    let condition = Condition {
        name: table.parsed("name", ID).unwrap_or_else(stand_in_name),
        column: table
            .text("column", "give the manifest's column of its reference standard")
            .unwrap_or_default(),
        missing: if table.has("missing") {
            table.texts("missing", values).unwrap_or_default()
        } else {
            Vec::new()
        },
        negative: table.texts("negative", values).unwrap_or_default(),
        operating_points: own.iter().map(|point| point.name.clone()).collect(),
        positive: table.texts("positive", values).unwrap_or_default(),
        prevalences: table.numbers("prevalences", "list shares such as [0.02, 0.1]"),
    };
    points.extend(own);
    condition
}

/// The tables `operating_points` of a document, or of one of its conditions.
pub(super) fn operating_points_of(table: &Fields<'_, '_, '_>, remedy: &str) -> Vec<OperatingPoint> {
    table
        .tables("operating_points", remedy)
        .iter()
        .map(|t| OperatingPoint {
            name: t.parsed("name", ID).unwrap_or_else(stand_in_name),
            threshold: t.number("threshold", "give a probability between 0 and 1").unwrap_or(0.5),
        })
        .collect()
}
