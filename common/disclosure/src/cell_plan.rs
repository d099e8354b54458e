//! Which cells of a protocol's tables are shown, and which rule hides each of the others.

mod conditions;

pub use conditions::{Conditions, condition_plan};

use std::collections::{BTreeMap, BTreeSet};

use fedval_study::protocol::{Table, TableKind};
use fedval_study::{Members, PatientCounts};

use crate::ledger::{Differences, Footprint, Label, Population, Row};
use crate::rules::dc05_zeros::StructuralZeros;
use crate::rules::dc17_complementary::equations::{self, Equation};
use crate::rules::dc17_complementary::intervals;
use crate::rules::dc17_complementary::rank::Known;
use crate::rules::dc25_marking::Suppression;
use crate::rules::{Rule, dc03_identifying_cells, dc11_variance, dc18_earlier_releases};

/// Why a cell is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hidden {
    /// For its own sake or another's.
    pub why: Suppression,
    /// The rule.
    pub rule: Rule,
}

/// For each table, each cell: `None` where it is shown.
pub type CellPlan = Vec<Vec<Option<Hidden>>>;

/// A release's own evidence, in the forms that rules ask for.
pub(crate) struct Stock<'e> {
    pub(crate) tables: &'e [Table],
    pub(crate) equations: Vec<Equation>,
    members: &'e Members,
    people: [Population; 2],
    patients: Vec<Vec<PatientCounts>>,
    rest: Vec<[Vec<u32>; 2]>,
}

impl<'e> Stock<'e> {
    fn new(tables: &'e [Table], own: &'e Footprint) -> Self {
        let people = Label::BOTH.map(|label| Population::new(&[own], label));
        let equations = equations::all(tables);
        let rest = equations
            .iter()
            .map(|equation| [&people[0], &people[1]].map(|people| rest_of(people, equation)))
            .collect();
        let patients = patient_counts(tables, &own.members);
        Self { tables, equations, members: &own.members, people, patients, rest }
    }

    /// Atoms of one label.
    pub(crate) fn people(&self, label: Label) -> &Population {
        match label {
            Label::Positive => &self.people[0],
            Label::Negative => &self.people[1],
        }
    }

    /// The patients of a sum that are in none of its cells.
    pub(crate) fn rest(&self, equation: &Equation, label: Label) -> Vec<u32> {
        let place = self.equations.iter().position(|other| std::ptr::eq(other, equation));
        let of = usize::from(label == Label::Negative);
        place.map(|place| self.rest[place][of].clone()).unwrap_or_default()
    }

    /// What hiding a row loses: a crossing's cell is given before a dimension's, few patients before
    /// many.
    pub(crate) fn loss(&self, row: Row) -> (bool, u64, Row) {
        match row {
            Row::Whole => (true, u64::MAX, row),
            Row::Cell { table, cell } => {
                let one_way = matches!(self.tables[table].kind, TableKind::OneWay(_));
                (one_way, self.patients[table][cell].total, row)
            }
        }
    }

    /// The cells of each patient's first case of a label.
    pub(crate) fn first_cases(&self, label: Label) -> Vec<&'e [u16]> {
        let mut seen = BTreeSet::new();
        let of_label = self.members.cases.iter().filter(|case| label.is_of(case.positive));
        of_label.filter(|case| seen.insert(case.patient)).map(|case| &case.cells[..]).collect()
    }
}

fn rest_of(people: &Population, equation: &Equation) -> Vec<u32> {
    let listed: BTreeSet<u32> =
        equation.children.iter().flat_map(|row| people.row(0, *row)).copied().collect();
    let parent = people.row(0, equation.parent).iter();
    parent.filter(|atom| !listed.contains(atom)).copied().collect()
}

/// Distinct patients of every cell.
fn patient_counts(tables: &[Table], members: &Members) -> Vec<Vec<PatientCounts>> {
    let of_table = |(place, table): (usize, &Table)| {
        let mut counts = vec![PatientCounts::default(); table.categories.len()];
        // One table at a time, and sorted: a tree takes five times as much of a million cases.
        let standing = members.cases.iter().filter_map(|case| {
            let cell = *case.cells.get(place)?;
            (usize::from(cell) < counts.len()).then_some((cell, case.patient, case.positive))
        });
        let mut standing: Vec<(u16, u32, bool)> = standing.collect();
        standing.sort_unstable();
        standing.dedup();
        for labels in standing.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            let counts = &mut counts[usize::from(labels[0].0)];
            counts.total += 1;
            counts.with_positive += u64::from(labels.iter().any(|(.., positive)| *positive));
            counts.with_negative += u64::from(labels.iter().any(|(.., positive)| !positive));
        }
        counts
    };
    tables.iter().enumerate().map(of_table).collect()
}

/// Which rows are shown so far.
pub(crate) struct Shown {
    plan: CellPlan,
    /// The rule that is at work.
    rule: Rule,
    /// Rows that are told together or not at all: for each of them, those that are hidden with it.
    beside: BTreeMap<Row, Vec<Row>>,
}

impl Shown {
    /// What is shown where these cells are hidden for their own sake, and every cell is by itself.
    const fn beginning_with(primary: CellPlan) -> Self {
        Self { plan: primary, rule: Rule::Dc18, beside: BTreeMap::new() }
    }

    pub(crate) fn shows(&self, row: Row) -> bool {
        match row {
            Row::Whole => true,
            Row::Cell { table, cell } => self.plan[table][cell].is_none(),
        }
    }

    /// Hides a cell for the sake of others, and what stands or falls with it.
    pub(crate) fn hide(&mut self, row: Row) {
        let hidden = Hidden { why: Suppression::Complementary, rule: self.rule };
        let beside = self.beside.get(&row).into_iter().flatten();
        for row in std::iter::once(&row).chain(beside) {
            if let Row::Cell { table, cell } = *row {
                self.plan[table][cell].get_or_insert(hidden);
            }
        }
    }

    pub(crate) fn visible(&self) -> Vec<Row> {
        self.rows().into_iter().filter(|row| self.shows(*row)).collect()
    }

    fn rows(&self) -> Vec<Row> {
        let tables = self.plan.iter().enumerate();
        tables
            .flat_map(|(table, cells)| (0..cells.len()).map(move |cell| Row::Cell { table, cell }))
            .collect()
    }
}

/// Decides on every cell. One that is empty by structure counts as shown: everybody knows it.
///
/// # Errors
///
/// The rule that forbids showing even the whole cohort beside what was released earlier.
pub fn plan(
    tables: &[Table],
    members: &Members,
    earlier: &[&Footprint],
    zeros: &StructuralZeros,
    k: u64,
) -> Result<CellPlan, Rule> {
    let every = tables.iter().map(|table| vec![true; table.categories.len()]).collect();
    let own = Footprint { members: members.clone(), shown: every, noisy: false };
    let stock = Stock::new(tables, &own);
    let primary = primary(&stock, zeros, k);
    complete(&stock, &own, Shown::beginning_with(primary), earlier, k)
}

/// Decides on a table of classes, of which only counts are shown. What is told of a spread is that of one class
/// against the rest: of the whole cohort, whose minimum is DC-02's.
///
/// # Errors
///
/// As [`plan`].
pub fn class_plan(
    table: &Table,
    members: &Members,
    earlier: &[&Footprint],
    k: u64,
) -> Result<Vec<Option<Hidden>>, Rule> {
    let every = vec![vec![true; table.categories.len()]];
    let own = Footprint { members: members.clone(), shown: every, noisy: false };
    let stock = Stock::new(std::slice::from_ref(table), &own);
    let hidden = |patients: &PatientCounts| {
        let why = Hidden { why: Suppression::Primary, rule: Rule::Dc03 };
        (!dc03_identifying_cells::is_safe(*patients, k)).then_some(why)
    };
    let primary = stock.patients.iter().map(|cells| cells.iter().map(hidden).collect()).collect();
    let shown = Shown::beginning_with(primary);
    complete(&stock, &own, shown, earlier, k).map(|plan| plan.into_iter().flatten().collect())
}

/// Hides what would give away what is hidden already.
fn complete(
    stock: &Stock<'_>,
    own: &Footprint,
    mut shown: Shown,
    earlier: &[&Footprint],
    k: u64,
) -> Result<CellPlan, Rule> {
    shown.rule = Rule::Dc18;
    for earlier in earlier {
        dc18_earlier_releases::hide_near(&mut shown, own, earlier, k)?;
    }
    shown.rule = Rule::Dc17;
    let own_differences = Label::BOTH.map(|label| Differences::new(own, own, label));
    loop {
        let mut changed = equations::protect(stock, &mut shown, k);
        changed |= intervals::widen(stock, &mut shown, k);
        changed |= hide_near_each_other(stock, &mut shown, &own_differences, k);
        if !changed && !rank_test(stock, &mut shown, own, earlier, k)? {
            return Ok(shown.plan);
        }
    }
}

/// Cells that are too small by themselves.
fn primary(stock: &Stock<'_>, zeros: &StructuralZeros, k: u64) -> CellPlan {
    let hidden = |place: (usize, usize), patients: &PatientCounts| {
        let rule = if zeros.contains(&place) && patients.total == 0 {
            return None;
        } else if !dc03_identifying_cells::is_safe(*patients, k) {
            Rule::Dc03
        } else if !dc11_variance::has_enough(patients.total, k) {
            Rule::Dc11
        } else {
            return None;
        };
        Some(Hidden { why: Suppression::Primary, rule })
    };
    let of_table = |(table, cells): (usize, &Vec<PatientCounts>)| {
        cells.iter().enumerate().map(|(cell, of)| hidden((table, cell), of)).collect()
    };
    stock.patients.iter().enumerate().map(of_table).collect()
}

/// Of two shown rows that differ by fewer than k patients, the lesser is hidden.
fn hide_near_each_other(
    stock: &Stock<'_>,
    shown: &mut Shown,
    differences: &[Differences; 2],
    k: u64,
) -> bool {
    let mut changed = false;
    let rows: Vec<Row> = std::iter::once(Row::Whole).chain(shown.visible()).collect();
    for (index, one) in rows.iter().enumerate() {
        for other in &rows[..index] {
            let near = |of: &Differences| {
                of.between(*one, *other).is_some_and(|patients| patients > 0 && patients < k)
            };
            if shown.shows(*one) && shown.shows(*other) && differences.iter().any(near) {
                shown.hide(std::cmp::min_by_key(*one, *other, |row| stock.loss(*row)));
                changed = true;
            }
        }
    }
    changed
}

/// Hides what would let something about few patients follow. Whether anything was hidden.
fn rank_test(
    stock: &Stock<'_>,
    shown: &mut Shown,
    own: &Footprint,
    earlier: &[&Footprint],
    k: u64,
) -> Result<bool, Rule> {
    let hidden: Vec<Row> = shown.rows().into_iter().filter(|row| !shown.shows(*row)).collect();
    let mut visible = shown.visible();
    // What loses most is shown first; whatever would then give something away stays.
    visible.sort_by_key(|row| std::cmp::Reverse(stock.loss(*row)));
    let tables = stock.tables.len();
    let of = |label| refused_rows(Known::new(own, earlier, label, k), tables, &hidden, &visible);
    let [positives, negatives] = Label::BOTH;
    // Two labels, two cores.
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| of(negatives));
        (of(positives), other.join())
    });
    let second = second.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let refused: BTreeSet<Row> = first?.into_iter().chain(second?).collect();
    for row in &refused {
        shown.hide(*row);
    }
    Ok(!refused.is_empty())
}

/// The rows that one label's patients forbid to show.
fn refused_rows(
    mut known: Known,
    tables: usize,
    hidden: &[Row],
    visible: &[Row],
) -> Result<Vec<Row>, Rule> {
    if !known.show(Row::Whole) {
        return Err(Rule::Dc18);
    }
    for row in hidden {
        known.watch(known.atoms(*row));
    }
    for table in 0..tables {
        known.watch_unlisted(table);
    }
    if known.show_all(visible) {
        return Ok(Vec::new());
    }
    Ok(visible.iter().filter(|row| !known.show(**row)).copied().collect())
}
