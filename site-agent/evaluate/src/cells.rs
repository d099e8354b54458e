//! The cell of a table that a unit stands in.

use fedval_study::protocol::{Table, TableKind};

/// The place among the table's categories of a unit with these categories, one for each dimension; `None` where an attribute
/// is missing or in no category.
pub(crate) fn cell(table: &Table, tables: &[Table], categories: &[Option<u16>]) -> Option<usize> {
    let of = |dimension: usize| categories.get(dimension).copied().flatten().map(usize::from);
    match table.kind {
        TableKind::OneWay(dimension) => of(dimension),
        TableKind::Crossing { rows, columns } => {
            let wide = tables[columns].categories.len();
            Some(of(rows)? * wide + of(columns)?)
        }
    }
}
