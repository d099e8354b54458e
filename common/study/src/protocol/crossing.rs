//! Two dimensions at once, and all tables of a protocol in one order.

use serde::{Deserialize, Serialize};

use super::StudyProtocol;
use crate::id::Name;

/// Two dimensions of the dictionary that are broken down together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crossing {
    /// Its name, distinct from every dimension's.
    pub name: Name,
    /// The first dimension.
    pub rows: Name,
    /// The second.
    pub columns: Name,
}

/// What a table breaks a cohort down by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// One dimension, by its place in the dictionary.
    OneWay(usize),
    /// Two dimensions, by their places; a cell's index is `row · columns + column`.
    Crossing {
        /// The first dimension.
        rows: usize,
        /// The second.
        columns: usize,
    },
}

/// One table of a protocol: its cells are what a result may show beside the whole cohort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The dimension's or crossing's name.
    pub name: Name,
    /// Names of its cells; those of a crossing are `ROW-COLUMN`.
    pub categories: Vec<Name>,
    /// What it breaks down by.
    pub kind: TableKind,
}

impl StudyProtocol {
    /// Every table: dimensions in the dictionary's order, then crossings.
    ///
    /// A crossing that names no two dimensions has no table; a locked protocol holds none.
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        let one_way = self.subgroups.iter().enumerate().map(|(index, dimension)| Table {
            name: dimension.name.clone(),
            categories: dimension.category_names().into_iter().cloned().collect(),
            kind: TableKind::OneWay(index),
        });
        one_way.chain(self.crossings.iter().filter_map(|crossing| self.crossed(crossing))).collect()
    }

    fn crossed(&self, crossing: &Crossing) -> Option<Table> {
        let place = |name: &Name| self.subgroups.iter().position(|d| d.name == *name);
        let (rows, columns) = (place(&crossing.rows)?, place(&crossing.columns)?);
        let names = |place: usize| self.subgroups[place].category_names();
        let mut categories = Vec::new();
        for row in names(rows) {
            for column in names(columns) {
                categories.push(format!("{row}-{column}").parse().ok()?);
            }
        }
        let kind = TableKind::Crossing { rows, columns };
        Some(Table { name: crossing.name.clone(), categories, kind })
    }
}
