//! Which cells of conditions, and of conditions by group, are shown.
//!
//! Of a condition, and of a condition in a group, all cells are shown or none: a sum that is told names all who were
//! assessed. Nothing is shown of a condition in a group where the condition or the group itself is not. That nobody lacks
//! the reference standard of a condition is no secret: there is then no such cell, in no group either.

use std::collections::{BTreeMap, BTreeSet};

use fedval_study::members::CONDITION_CELLS;
use fedval_study::protocol::Table;
use fedval_study::{Members, PatientCounts};

use super::{CellPlan, Hidden, Shown, Stock, complete};
use crate::ledger::{Differences, Footprint, Label, Row};
use crate::rules::dc25_marking::Suppression;
use crate::rules::{Rule, dc03_identifying_cells, dc11_variance};

/// A study of several conditions, as far as it decides on cells.
#[derive(Debug)]
pub struct Conditions<'e> {
    /// Every table, as [`tables`](fedval_study::condition_groups::tables) has them.
    pub tables: &'e [Table],
    /// For each condition, whether the cohort is large enough for it.
    pub is_told: &'e [bool],
    /// Groups that are empty by what the site says of itself: they count as shown, everybody knows it.
    pub absent: &'e BTreeSet<usize>,
}

/// Decides on tables of conditions, of which only counts are shown: for each, who has it, who has not, and who was not
/// assessed for it; and the same by group.
///
/// A condition with a cell of few patients is hidden, and so is one in a group where few of the group lack its reference
/// standard: from the group and from those who have it or not, how few would follow.
///
/// # Errors
///
/// As [`plan`](super::plan).
pub fn condition_plan(
    asked: &Conditions<'_>,
    members: &Members,
    earlier: &[&Footprint],
    k: u64,
) -> Result<CellPlan, Rule> {
    let layout = Layout::of(asked, members);
    let every = layout.tables.iter().map(|table| vec![true; table.categories.len()]).collect();
    let own = Footprint { members: members.clone(), shown: every, noisy: false };
    let stock = Stock::new(&layout.tables, &own);
    let mut shown = Shown {
        plan: layout.primary(asked, &stock.patients, k),
        rule: Rule::Dc17,
        beside: layout.beside(asked.absent),
    };
    let differences = Label::BOTH.map(|label| Differences::new(&own, &own, label));
    hide_near_conditions(&mut shown, layout.conditions, &differences, k);
    hide_near_groups(&mut shown, &layout.blocks(asked.absent), &differences, k);
    complete(&stock, &own, shown, earlier, k).map(|plan| layout.whole(plan))
}

/// Tables of conditions, of one dimension, and of conditions by it, without the cells in which nobody can be.
struct Layout {
    tables: Vec<Table>,
    conditions: usize,
    groups: usize,
}

impl Layout {
    fn of(asked: &Conditions<'_>, members: &Members) -> Self {
        let conditions = asked.is_told.len();
        let groups = asked.tables.get(conditions).map_or(0, |table| table.categories.len());
        let mut tables = asked.tables.to_vec();
        let missing = CONDITION_CELLS - 1;
        for condition in 0..conditions {
            let is_missing = |cells: &[u16]| {
                cells.get(condition).is_some_and(|cell| usize::from(*cell) == missing)
            };
            if !members.cases.iter().any(|case| is_missing(&case.cells)) {
                tables[condition].categories.truncate(missing);
                if let Some(table) = tables.get_mut(conditions + 1 + condition) {
                    table.categories.truncate(missing * groups);
                }
            }
        }
        Self { tables, conditions, groups }
    }

    /// The rows of a condition.
    fn rows(&self, condition: usize) -> Vec<Row> {
        let cells = 0..self.tables[condition].categories.len();
        cells.map(|cell| Row::Cell { table: condition, cell }).collect()
    }

    /// The rows of a condition in a group.
    fn block(&self, condition: usize, group: usize) -> Vec<Row> {
        let table = self.conditions + 1 + condition;
        let cells = 0..self.tables[condition].categories.len();
        cells.map(|cell| Row::Cell { table, cell: cell * self.groups + group }).collect()
    }

    /// Groups in which somebody can be.
    fn groups<'a>(&self, absent: &'a BTreeSet<usize>) -> impl Iterator<Item = usize> + use<'a> {
        (0..self.groups).filter(move |group| !absent.contains(group))
    }

    /// Every condition in every group in which somebody can be, condition by condition.
    fn blocks(&self, absent: &BTreeSet<usize>) -> Vec<Vec<Row>> {
        let of = |condition| self.groups(absent).map(move |group| self.block(condition, group));
        (0..self.conditions).flat_map(of).collect()
    }

    /// For each row, those that are hidden with it.
    fn beside(&self, absent: &BTreeSet<usize>) -> BTreeMap<Row, Vec<Row>> {
        let mut beside = BTreeMap::new();
        for condition in 0..self.conditions {
            let blocks = self.groups(absent).flat_map(|group| self.block(condition, group));
            let all: Vec<Row> = self.rows(condition).into_iter().chain(blocks).collect();
            beside.extend(self.rows(condition).into_iter().map(|row| (row, all.clone())));
        }
        for block in self.blocks(absent) {
            beside.extend(block.iter().map(|row| (*row, block.clone())));
        }
        for group in self.groups(absent) {
            let of = |condition| self.block(condition, group);
            let row = Row::Cell { table: self.conditions, cell: group };
            beside.insert(row, (0..self.conditions).flat_map(of).collect());
        }
        beside
    }

    /// What is too small by itself.
    fn primary(&self, asked: &Conditions<'_>, patients: &[Vec<PatientCounts>], k: u64) -> CellPlan {
        let mut plan: CellPlan =
            self.tables.iter().map(|table| vec![None; table.categories.len()]).collect();
        let mut hide = |rows: Vec<Row>, rule| {
            let hidden = Hidden { why: Suppression::Primary, rule };
            for row in rows {
                if let Row::Cell { table, cell } = row {
                    plan[table][cell].get_or_insert(hidden);
                }
            }
        };
        let is_few = |of: &PatientCounts| of.total > 0 && !dc03_identifying_cells::is_safe(*of, k);
        for (condition, is_told) in asked.is_told.iter().enumerate() {
            if !is_told || patients[condition].iter().any(is_few) {
                hide(self.rows(condition), Rule::Dc03);
                for group in self.groups(asked.absent) {
                    hide(self.block(condition, group), Rule::Dc03);
                }
            }
        }
        for group in self.groups(asked.absent) {
            let is_safe = dc03_identifying_cells::is_safe(patients[self.conditions][group], k);
            if !is_safe {
                hide(vec![Row::Cell { table: self.conditions, cell: group }], Rule::Dc03);
            }
            for condition in 0..self.conditions {
                let block = self.block(condition, group);
                let counts: Vec<PatientCounts> =
                    block.iter().filter_map(|row| count_of(patients, *row)).collect();
                let rule = too_small(&counts, k).or((!is_safe).then_some(Rule::Dc03));
                if let Some(rule) = rule {
                    hide(block, rule);
                }
            }
        }
        plan
    }

    /// The plan of every table that was asked for: that nobody lacks a reference standard is shown with its condition.
    fn whole(&self, mut plan: CellPlan) -> CellPlan {
        let missing = CONDITION_CELLS - 1;
        for condition in 0..self.conditions {
            if self.tables[condition].categories.len() == missing {
                let present = plan[condition][0];
                plan[condition].push(present);
                if let Some(cells) = plan.get_mut(self.conditions + 1 + condition) {
                    cells.extend_from_within(..self.groups);
                }
            }
        }
        plan
    }
}

fn count_of(patients: &[Vec<PatientCounts>], row: Row) -> Option<PatientCounts> {
    let Row::Cell { table, cell } = row else { return None };
    patients.get(table)?.get(cell).copied()
}

/// Why a condition in a group is hidden for its own sake: few have it, have it not or were not assessed, or so few were
/// assessed that no spread can be told.
fn too_small(counts: &[PatientCounts], k: u64) -> Option<Rule> {
    let [present, absent, missing @ ..] = counts else { return Some(Rule::Dc03) };
    let is_safe = |of: &PatientCounts| dc03_identifying_cells::is_safe(*of, k);
    if !is_safe(present)
        || !is_safe(absent)
        || missing.iter().any(|of| of.total > 0 && !is_safe(of))
    {
        Some(Rule::Dc03)
    } else if dc11_variance::has_enough(present.total.saturating_add(absent.total), k) {
        None
    } else {
        Some(Rule::Dc11)
    }
}

/// Whether any two of these rows differ by somebody, and by fewer than k.
fn are_near(
    differences: &[Differences; 2],
    rows: &[Row],
    mut others: impl Iterator<Item = Row>,
    k: u64,
) -> bool {
    let is_near = |one: Row, other: Row| {
        let mut apart = differences.iter().filter_map(|of| of.between(one, other));
        apart.any(|patients| patients > 0 && patients < k)
    };
    others.any(|other| rows.iter().any(|row| is_near(*row, other)))
}

/// Of two conditions with cells that differ by fewer than k patients, the one that the protocol lists later is hidden as a
/// whole: cell by cell, each of the two would lose one, and neither could be told.
fn hide_near_conditions(
    shown: &mut Shown,
    conditions: usize,
    differences: &[Differences; 2],
    k: u64,
) {
    for table in 0..conditions {
        let cells: Vec<Row> = shown.visible_of(table);
        let others: Vec<Row> = (0..table).flat_map(|earlier| shown.visible_of(earlier)).collect();
        if are_near(differences, &cells, others.into_iter(), k) {
            for cell in cells {
                shown.hide(cell);
            }
        }
    }
}

/// The same of conditions in groups.
fn hide_near_groups(
    shown: &mut Shown,
    blocks: &[Vec<Row>],
    differences: &[Differences; 2],
    k: u64,
) {
    for (place, block) in blocks.iter().enumerate() {
        let is_shown = block.iter().all(|row| shown.shows(*row));
        let others = blocks[..place].iter().flatten().copied().filter(|row| shown.shows(*row));
        if is_shown && are_near(differences, block, others, k) {
            for row in block {
                shown.hide(*row);
            }
        }
    }
}
