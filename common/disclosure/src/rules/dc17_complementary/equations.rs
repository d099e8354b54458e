//! Sums that everybody can form, and the partners that hidden cells need in them.

use fedval_study::protocol::{Table, TableKind};

use crate::cell_plan::{Shown, Stock};
use crate::ledger::{Label, Row};

/// Cells that add up to a row together with the rest, which is in no listed cell.
pub(crate) struct Equation {
    pub(crate) parent: Row,
    pub(crate) children: Vec<Row>,
}

/// Every sum of a protocol's tables.
pub(crate) fn all(tables: &[Table]) -> Vec<Equation> {
    let mut equations = Vec::new();
    for (table, shape) in tables.iter().enumerate() {
        let cell = |cell: usize| Row::Cell { table, cell };
        match shape.kind {
            TableKind::OneWay(_) => equations.push(Equation {
                parent: Row::Whole,
                children: (0..shape.categories.len()).map(cell).collect(),
            }),
            TableKind::Crossing { rows, columns } => {
                let wide = tables[columns].categories.len();
                let high = tables[rows].categories.len();
                equations.extend((0..high).map(|row| Equation {
                    parent: Row::Cell { table: rows, cell: row },
                    children: (0..wide).map(|column| cell(row * wide + column)).collect(),
                }));
                equations.extend((0..wide).map(|column| Equation {
                    parent: Row::Cell { table: columns, cell: column },
                    children: (0..high).map(|row| cell(row * wide + column)).collect(),
                }));
            }
        }
    }
    equations
}

/// Hides partners in every sum until each is protected. Whether anything changed.
pub(crate) fn protect(stock: &Stock<'_>, shown: &mut Shown, k: u64) -> bool {
    let mut changed = false;
    for equation in &stock.equations {
        while shown.shows(equation.parent) && !is_protected(stock, shown, equation, (k, true)) {
            let visible = equation.children.iter().filter(|child| shown.shows(**child));
            let partner = visible.min_by_key(|child| stock.loss(**child)).copied();
            // With nothing left to hide beside it, the sum itself must go. Not for the sake of who is alone in a cell: a
            // sum of which no cell is shown tells everybody in it as much of the others as a table without these cells.
            let stays = || is_protected(stock, shown, equation, (k, false));
            if partner.is_none() && (equation.parent == Row::Whole || stays()) {
                break;
            }
            let partner = partner.unwrap_or(equation.parent);
            shown.hide(partner);
            changed = true;
        }
    }
    changed
}

/// Whether nothing follows about fewer than k patients: where `with_singles` not for the one patient of a cell either.
fn is_protected(
    stock: &Stock<'_>,
    shown: &Shown,
    equation: &Equation,
    (k, with_singles): (u64, bool),
) -> bool {
    let hidden: Vec<Row> =
        equation.children.iter().filter(|child| !shown.shows(**child)).copied().collect();
    let rest = Label::BOTH.map(|label| stock.rest(equation, label));
    let parts = hidden.len() + usize::from(rest.iter().any(|atoms| !atoms.is_empty()));
    if parts == 0 {
        return true;
    }
    let holds_enough = |label: Label, rest: &Vec<u32>| {
        let mut atoms = rest.clone();
        let mut has_single = stock.people(label).distinct(rest, 2) == 1;
        for row in &hidden {
            let own = stock.people(label).row(0, *row);
            has_single |= stock.people(label).distinct(own, 2) == 1;
            atoms.extend(own);
        }
        // The one patient of a cell knows that cell, and so what the others hold.
        let needed = k + u64::from(has_single && with_singles);
        stock.people(label).distinct(&atoms, needed) >= needed
    };
    parts >= 2 && Label::BOTH.into_iter().zip(&rest).all(|(label, rest)| holds_enough(label, rest))
}
