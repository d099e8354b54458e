//! The cell of a table that a unit stands in.

use fedval_study::members::UNLISTED;
use fedval_study::protocol::{StudyProtocol, Table, TableKind};

/// The tables of a protocol, by which its units are told apart.
pub(crate) struct Cells {
    pub(crate) tables: Vec<Table>,
}

impl Cells {
    pub(crate) fn of(protocol: &StudyProtocol) -> Self {
        Self { tables: protocol.tables() }
    }

    /// The cell in each table; [`UNLISTED`] for none.
    pub(crate) fn with(&self, categories: &[Option<u16>]) -> Vec<u16> {
        let cell = |table| cell(table, &self.tables, categories);
        let cells = self.tables.iter().map(cell);
        cells
            .map(|cell| cell.and_then(|cell| u16::try_from(cell).ok()).unwrap_or(UNLISTED))
            .collect()
    }
}

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
