//! Ledger mathematics: what follows about few patients from everything that was ever released.

mod atoms;
mod differences;
mod footprint;
mod history;
mod span;

pub(crate) use atoms::{Label, Population};
pub(crate) use differences::Differences;
pub use footprint::{Footprint, FootprintDamaged};
pub use history::{Earlier, History};
pub(crate) use span::Span;

/// A row of what is known: the sum over some patients of whatever was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Row {
    /// A whole cohort.
    Whole,
    /// One cell of one table.
    Cell {
        /// The table.
        table: usize,
        /// The cell.
        cell: usize,
    },
}
