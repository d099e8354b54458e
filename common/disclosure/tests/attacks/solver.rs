//! An attacker with a solver: from all that was shown, in which interval does a hidden count lie?
//!
//! Independent of the product's own programme: its unknowns are patients by sex and scanner at once, not
//! tables that agree on their margins.

use std::collections::BTreeMap;

use fedval_disclosure::cell_plan::CellPlan;
use fedval_study::Members;
use fedval_study::members::UNLISTED;
use fedval_study::protocol::Table;
use microlp::{ComparisonOp, OptimizationDirection, Problem};

/// Patients of one label by sex and scanner, each index beyond the last for what is not listed.
pub(crate) struct Attacker {
    size: (usize, usize),
    truth: BTreeMap<(usize, usize), u64>,
}

impl Attacker {
    pub(crate) fn new(tables: &[Table], members: &Members, positive: bool) -> Self {
        let (high, wide) = (tables[0].categories.len(), tables[1].categories.len());
        let mut truth = BTreeMap::new();
        for case in members.cases.iter().filter(|case| case.positive == positive) {
            let place = |cell: u16, size: usize| {
                if cell == UNLISTED { size } else { usize::from(cell) }
            };
            *truth.entry((place(case.cells[0], high), place(case.cells[1], wide))).or_insert(0) +=
                1;
        }
        Self { size: (high, wide), truth }
    }

    /// The unknowns that a cell adds up.
    fn parts(&self, table: usize, cell: usize) -> Vec<(usize, usize)> {
        let (high, wide) = self.size;
        match table {
            0 => (0..=wide).map(|column| (cell, column)).collect(),
            1 => (0..=high).map(|row| (row, cell)).collect(),
            _ => vec![(cell / wide, cell % wide)],
        }
    }

    fn count(&self, parts: &[(usize, usize)]) -> u64 {
        parts.iter().map(|part| self.truth.get(part).copied().unwrap_or(0)).sum()
    }

    /// The smallest and largest count that a hidden cell can have.
    pub(crate) fn interval(&self, plan: &CellPlan, table: usize, cell: usize) -> (f64, f64) {
        let bound = |direction| {
            let target = self.parts(table, cell);
            let mut problem = Problem::new(direction);
            let mut unknowns = BTreeMap::new();
            for row in 0..=self.size.0 {
                for column in 0..=self.size.1 {
                    // Where nobody is outside the listed categories, the attacker knows it.
                    let outside = row == self.size.0 || column == self.size.1;
                    let is_empty = self.count(&[(row, column)]) == 0;
                    let most = if outside && is_empty { 0.0 } else { f64::INFINITY };
                    let weight = if target.contains(&(row, column)) { 1.0 } else { 0.0 };
                    unknowns.insert((row, column), problem.add_var(weight, (0.0, most)));
                }
            }
            let mut know = |parts: &[(usize, usize)]| {
                let terms: Vec<_> = parts.iter().map(|part| (unknowns[part], 1.0)).collect();
                problem.add_constraint(&terms[..], ComparisonOp::Eq, to_f64(self.count(parts)));
            };
            know(&unknowns.keys().copied().collect::<Vec<_>>());
            for (table, cells) in plan.iter().enumerate() {
                for (cell, hidden) in cells.iter().enumerate() {
                    if hidden.is_none() {
                        know(&self.parts(table, cell));
                    }
                }
            }
            problem.solve().unwrap().into_solution().unwrap().objective()
        };
        (bound(OptimizationDirection::Minimize), bound(OptimizationDirection::Maximize))
    }
}

fn to_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
