//! A picture with its words and its numbers.

use super::markup::Markup;
use super::picture::Picture;
use crate::csv::Csv;

/// A picture with its caption.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) picture: Picture,
    pub(crate) caption: Markup,
    /// The numbers that the picture draws, in full, a mark a row: what it leaves out, they leave out.
    /// Grids, ticks and diagonals are not among them.
    pub(crate) data: Csv,
}
