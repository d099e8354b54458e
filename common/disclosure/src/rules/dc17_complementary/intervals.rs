//! In which interval a reader of rows, columns and shown cells can place each hidden cell.
//!
//! Patients of one label are counted, each by the first case. Everything shown is known, nobody is
//! negative, and where no patient lies outside the listed categories the reader is taken to know it.
//! Crossings close no circle (DC-16), so that counts which agree on their margins are the counts of
//! some cohort, and the intervals are exact.

use std::collections::BTreeMap;

use fedval_study::protocol::TableKind;
use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

use crate::cell_plan::{Shown, Stock};
use crate::ledger::{Label, Row};

/// A count that some cohort has: a cell, or what lies outside the listed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// By table and cell.
    Listed(usize, usize),
    /// Row or column of a crossing, or both, outside the listed categories.
    Outside(usize, usize, usize),
}

/// One sum: its parts are the whole, or one place.
struct Sum {
    parts: Vec<Place>,
    whole: Result<u64, Place>,
}

/// The counts of one label, those that are known, and the sums that bind them.
struct Puzzle {
    truth: BTreeMap<Place, u64>,
    known: BTreeMap<Place, bool>,
    sums: Vec<Sum>,
    /// Table, rows and columns of each crossing.
    crossings: Vec<(usize, usize, usize)>,
}

/// Widens hidden cells whose interval is narrower than k by hiding others. Whether anything changed.
pub(crate) fn widen(stock: &Stock<'_>, shown: &mut Shown, k: u64) -> bool {
    let mut changed = false;
    while let Some(narrow) = first_narrow(stock, shown, k) {
        let Some(partner) = partner(stock, shown, narrow) else { return changed };
        shown.hide(partner);
        changed = true;
    }
    changed
}

fn first_narrow(stock: &Stock<'_>, shown: &Shown, k: u64) -> Option<Row> {
    let has_crossings = stock.tables.iter().any(|t| matches!(t.kind, TableKind::Crossing { .. }));
    if !has_crossings {
        return None;
    }
    Label::BOTH.into_iter().find_map(|label| Puzzle::new(stock, shown, label).first_narrow(k))
}

/// The smallest shown cell of a sum in which the narrow one stands.
fn partner(stock: &Stock<'_>, shown: &Shown, narrow: Row) -> Option<Row> {
    let sums = stock.equations.iter().filter(|equation| equation.children.contains(&narrow));
    let others = sums.flat_map(|equation| {
        equation.children.iter().chain(std::iter::once(&equation.parent)).copied()
    });
    let visible = others.filter(|row| *row != Row::Whole && *row != narrow && shown.shows(*row));
    let near = visible.min_by_key(|row| stock.loss(*row));
    let table = |row: Row| {
        matches!((row, narrow),
        (Row::Cell { table, .. }, Row::Cell { table: same, .. }) if table == same)
    };
    near.or_else(|| {
        let all = shown.visible().into_iter().filter(|row| table(*row));
        all.min_by_key(|row| stock.loss(*row))
    })
}

impl Puzzle {
    fn new(stock: &Stock<'_>, shown: &Shown, label: Label) -> Self {
        let mut puzzle = Self {
            truth: BTreeMap::new(),
            known: BTreeMap::new(),
            sums: Vec::new(),
            crossings: Vec::new(),
        };
        let patients = stock.first_cases(label);
        let crossed = |dimension: usize| {
            stock.tables.iter().any(|table| {
                matches!(table.kind,
                TableKind::Crossing { rows, columns } if rows == dimension || columns == dimension)
            })
        };
        for (table, shape) in stock.tables.iter().enumerate() {
            let cells = shape.categories.len();
            match shape.kind {
                TableKind::OneWay(dimension) if crossed(dimension) => {
                    let places: Vec<Place> =
                        (0..=cells).map(|cell| margin(table, cell, cells)).collect();
                    for case in &patients {
                        puzzle.count(margin(table, usize::from(case[table]), cells));
                    }
                    let whole = Ok(patients.len() as u64);
                    puzzle.sums.push(Sum { parts: places, whole });
                }
                TableKind::OneWay(_) => {}
                TableKind::Crossing { rows, columns } => {
                    let size = |t: usize| stock.tables[t].categories.len();
                    let (high, wide) = (size(rows), size(columns));
                    let place = |r: usize, c: usize| crossing(table, r, c, high, wide);
                    puzzle.crossings.push((table, high, wide));
                    for case in &patients {
                        puzzle.count(place(usize::from(case[rows]), usize::from(case[columns])));
                    }
                    for row in 0..=high {
                        let parts = (0..=wide).map(|column| place(row, column)).collect();
                        let whole = Err(margin(rows, row, high));
                        puzzle.sums.push(Sum { parts, whole });
                    }
                    for column in 0..=wide {
                        let parts = (0..=high).map(|row| place(row, column)).collect();
                        let whole = Err(margin(columns, column, wide));
                        puzzle.sums.push(Sum { parts, whole });
                    }
                }
            }
        }
        for sum in &puzzle.sums {
            for place in sum.parts.iter().chain(sum.whole.as_ref().err()) {
                let count = *puzzle.truth.entry(*place).or_default();
                let is_known = match place {
                    Place::Listed(table, cell) => {
                        shown.shows(Row::Cell { table: *table, cell: *cell })
                    }
                    Place::Outside(..) => count == 0,
                };
                puzzle.known.insert(*place, is_known);
            }
        }
        puzzle
    }

    fn count(&mut self, place: Place) {
        *self.truth.entry(place).or_default() += 1;
    }

    fn first_narrow(&self, k: u64) -> Option<Row> {
        let hidden: Vec<Place> =
            self.known.iter().filter(|(_, known)| !**known).map(|(place, _)| *place).collect();
        let truth = |place: &Place| to_f64(self.truth[place]);
        // Every cohort that was found widens what is known of every cell.
        let mut seen: BTreeMap<Place, (f64, f64)> =
            hidden.iter().map(|place| (*place, (truth(place), truth(place)))).collect();
        for place in &hidden {
            let Place::Listed(table, cell) = *place else { continue };
            if self.swaps_are_wide(table, cell, k) {
                continue;
            }
            for direction in [OptimizationDirection::Maximize, OptimizationDirection::Minimize] {
                if is_wide(seen[place], k) {
                    break;
                }
                let Some(found) = self.solve(&hidden, *place, direction) else {
                    return Some(Row::Cell { table, cell });
                };
                for (place, value) in hidden.iter().zip(found) {
                    if let Some((low, high)) = seen.get_mut(place) {
                        (*low, *high) = (low.min(value), high.max(value));
                    }
                }
            }
            if !is_wide(seen[place], k) {
                return Some(Row::Cell { table, cell });
            }
        }
        None
    }

    /// Whether patients can be moved around rectangles of hidden cells so that this cell takes values k
    /// apart: rows and columns keep their sums, so every such cohort fits what is known. Where it is so,
    /// which is nearly always, no programme has to be solved.
    fn swaps_are_wide(&self, table: usize, cell: usize, k: u64) -> bool {
        let Some((_, high, wide)) = self.crossings.iter().find(|(of, ..)| *of == table) else {
            return false;
        };
        let (row, column) = (cell / wide, cell % wide);
        let hidden = |r: usize, c: usize| {
            let place = crossing(table, r, c, *high, *wide);
            self.known.get(&place).is_some_and(|known| !known).then(|| self.truth[&place])
        };
        let own = self.truth[&Place::Listed(table, cell)];
        let mut in_row: Vec<(usize, u64)> = (0..=*wide)
            .filter(|c| *c != column)
            .filter_map(|c| Some((c, hidden(row, c)?)))
            .collect();
        let (mut more, mut fewer) = (0, 0);
        for r in (0..=*high).filter(|r| *r != row) {
            let Some(mut above) = hidden(r, column) else { continue };
            for (c, beside) in &mut in_row {
                let Some(opposite) = hidden(r, *c) else { continue };
                let moved = above.min(*beside);
                above -= moved;
                *beside -= moved;
                more += moved;
                fewer = own.min(fewer + opposite);
                if more + fewer >= k {
                    return true;
                }
            }
        }
        false
    }

    /// A cohort with as many or as few patients at `place` as can be; `None` where none is found,
    /// which counts as narrow.
    fn solve(
        &self,
        hidden: &[Place],
        place: Place,
        direction: OptimizationDirection,
    ) -> Option<Vec<f64>> {
        let mut problem = Problem::new(direction);
        let variables: BTreeMap<Place, Variable> = hidden
            .iter()
            .map(|of| {
                let weight = if *of == place { 1.0 } else { 0.0 };
                (*of, problem.add_var(weight, (0.0, f64::INFINITY)))
            })
            .collect();
        for sum in &self.sums {
            let mut right = match sum.whole {
                Ok(whole) => to_f64(whole),
                Err(place) if self.known[&place] => to_f64(self.truth[&place]),
                Err(_) => 0.0,
            };
            let mut terms = Vec::new();
            for part in &sum.parts {
                match variables.get(part) {
                    Some(variable) => terms.push((*variable, 1.0)),
                    None => right -= to_f64(self.truth[part]),
                }
            }
            if let Err(whole) = sum.whole
                && let Some(variable) = variables.get(&whole)
            {
                terms.push((*variable, -1.0));
            }
            if !terms.is_empty() {
                problem.add_constraint(&terms[..], ComparisonOp::Eq, right);
            }
        }
        let solved = problem.solve().ok()?.into_solution().ok()?;
        Some(variables.values().map(|variable| solved.var_value(*variable)).collect())
    }
}

fn is_wide((low, high): (f64, f64), k: u64) -> bool {
    // Rounding of the solver must not turn k into less.
    high - low >= to_f64(k) - 1e-6
}

/// A dimension's cell, or all that lies outside.
fn margin(table: usize, cell: usize, cells: usize) -> Place {
    if cell < cells { Place::Listed(table, cell) } else { Place::Outside(table, 0, 0) }
}

fn crossing(table: usize, row: usize, column: usize, high: usize, wide: usize) -> Place {
    if row < high && column < wide {
        Place::Listed(table, row * wide + column)
    } else {
        Place::Outside(table, row.min(high), column.min(wide))
    }
}

#[expect(clippy::cast_precision_loss, reason = "patients, at most two million")]
fn to_f64(count: u64) -> f64 {
    count as f64
}
