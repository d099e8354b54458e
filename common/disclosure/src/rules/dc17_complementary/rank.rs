//! Whether anything about fewer than k patients, or any hidden cell, follows from all that is shown.

use std::collections::HashSet;

use crate::ledger::{Footprint, Label, Population, Row, Span};

/// One label of this release (number 0) and all earlier ones, with the span of what was shown.
pub(crate) struct Known {
    population: Population,
    span: Span,
    k: u64,
    /// What followed before this release, which it cannot be blamed for.
    before: HashSet<Vec<u32>>,
    /// Cells of any release that were not shown.
    hidden: Vec<Vec<u32>>,
}

impl Known {
    /// What everybody knows before this release.
    pub(crate) fn new(own: &Footprint, earlier: &[&Footprint], label: Label, k: u64) -> Self {
        let releases: Vec<&Footprint> = [own].into_iter().chain(earlier.iter().copied()).collect();
        let population = Population::new(&releases, label);
        let mut span = Span::new(population.patients.len());
        let mut hidden = Vec::new();
        for (release, footprint) in releases.iter().enumerate().skip(1) {
            span.add(population.row(release, Row::Whole));
            for (table, cells) in footprint.shown.iter().enumerate() {
                for (cell, is_shown) in cells.iter().enumerate() {
                    let row = population.row(release, Row::Cell { table, cell });
                    if *is_shown {
                        span.add(row);
                    } else if !row.is_empty() {
                        hidden.push(row.to_vec());
                    }
                }
                hidden.push(population.unlisted(release, table));
            }
        }
        let mut known = Self { population, span, k, before: HashSet::new(), hidden };
        known.hidden.retain(|atoms| !atoms.is_empty() && !known.span.determines(atoms));
        known.before = known.span.disclosed(&known.population, k);
        known
    }

    /// Shows a row of this release. `false`, and nothing is shown, where something would follow.
    pub(crate) fn show(&mut self, row: Row) -> bool {
        let atoms = self.population.row(0, row).to_vec();
        let Some(undo) = self.span.add(&atoms) else { return true };
        if self.is_safe() {
            return true;
        }
        self.span.undo(undo);
        false
    }

    /// Shows all rows, if nothing follows from them that did not before. `false` otherwise, and none is
    /// shown.
    pub(crate) fn show_all(&mut self, rows: &[Row]) -> bool {
        let added: Vec<_> =
            rows.iter().filter_map(|row| self.span.add(self.population.row(0, *row))).collect();
        if self.is_safe() {
            return true;
        }
        for undo in added.into_iter().rev() {
            self.span.undo(undo);
        }
        false
    }

    /// Watches a cell of this release that is hidden, unless it follows already.
    pub(crate) fn watch(&mut self, atoms: Vec<u32>) {
        if !atoms.is_empty() && !self.span.determines(&atoms) {
            self.hidden.push(atoms);
        }
    }

    /// Watches the patients in no listed cell of a table.
    pub(crate) fn watch_unlisted(&mut self, table: usize) {
        self.watch(self.population.unlisted(0, table));
    }

    /// The atoms of a row of this release.
    pub(crate) fn atoms(&self, row: Row) -> Vec<u32> {
        self.population.row(0, row).to_vec()
    }

    /// Whether nothing follows that did not follow before.
    pub(crate) fn is_safe(&self) -> bool {
        !self.hidden.iter().any(|atoms| self.span.determines(atoms))
            && self.span.disclosed(&self.population, self.k).is_subset(&self.before)
    }
}
