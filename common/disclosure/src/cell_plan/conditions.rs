//! Which cells of conditions, and of conditions by group, are shown.
//!
//! Of a condition, and of a condition in a group, all cells are shown or none: a sum that is told names all who were
//! assessed. Nothing is shown of a condition in a group where the condition or the group itself is not. That nobody lacks
//! the reference standard of a condition is no secret: there is then no such cell, in no group either.
//!
//! Conditions share patients, and what is hidden of one in several groups is told of these together, by the whole minus the
//! other groups. So up to three of them are held against each other in all that a reader can compute of them
//! (`dc17_complementary::remainders`), before partners are sought. To hide more never lets anything follow that did not
//! follow before, so that one pass is enough.

use std::collections::{BTreeMap, BTreeSet};

use fedval_study::members::CONDITION_CELLS;
use fedval_study::protocol::Table;
use fedval_study::{Members, PatientCounts};

use super::{CellPlan, Hidden, Shown, Stock, complete};
use crate::ledger::{Footprint, Label, Row};
use crate::rules::dc17_complementary::equations;
use crate::rules::dc17_complementary::remainders::{self, Near, Piece};
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
    /// Whether no group may be told of beside what was released earlier.
    pub groups_stay: bool,
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
    // Groups first: of how few the size would follow is no matter of conditions.
    equations::protect(&stock, &mut shown, k);
    // Every patient stands under both labels in the same cells.
    let cohort = Cohort::of(&stock.first_cases(Label::Positive));
    let view = View { layout: &layout, absent: asked.absent, cohort: &cohort };
    hide_near(&stock, &mut shown, &view, k);
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
            let stays =
                if asked.groups_stay { Some(Rule::Dc18) } else { (!is_safe).then_some(Rule::Dc03) };
            if let Some(rule) = stays {
                hide(vec![Row::Cell { table: self.conditions, cell: group }], rule);
            }
            for condition in 0..self.conditions {
                let block = self.block(condition, group);
                let counts: Vec<PatientCounts> =
                    block.iter().filter_map(|row| count_of(patients, *row)).collect();
                let rule = too_small(&counts, k).or(stays);
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

/// Patients by their cells: so many have these.
struct Cohort<'m>(Vec<(&'m [u16], u64)>);

impl<'m> Cohort<'m> {
    fn of(patients: &[&'m [u16]]) -> Self {
        let mut sorted = patients.to_vec();
        sorted.sort_unstable();
        let alike = sorted.chunk_by(|one, other| one == other);
        Self(alike.map(|own| (own[0], u64::try_from(own.len()).unwrap_or(u64::MAX))).collect())
    }
}

/// What conditions are held against each other by.
struct View<'v> {
    layout: &'v Layout,
    absent: &'v BTreeSet<usize>,
    cohort: &'v Cohort<'v>,
}

impl View<'_> {
    fn is_told(&self, shown: &Shown, condition: usize) -> bool {
        self.layout.rows(condition).iter().all(|row| shown.shows(*row))
    }

    fn is_told_in(&self, shown: &Shown, condition: usize, group: usize) -> bool {
        self.layout.block(condition, group).iter().all(|row| shown.shows(*row))
    }

    /// Groups in which a condition is told, and in which somebody can be.
    fn told_in(&self, shown: &Shown, condition: usize) -> Vec<usize> {
        let groups = self.layout.groups(self.absent);
        groups.filter(|group| self.is_told_in(shown, condition, *group)).collect()
    }

    /// Every group by these conditions, and last all patients in no group whose size is told.
    fn pieces(&self, shown: &Shown, conditions: &[usize], by_group: bool) -> Vec<Piece> {
        let (table, groups) = (self.layout.conditions, self.layout.groups);
        let mut pieces = vec![Piece::default(); groups + 1];
        let is_sized: Vec<bool> =
            (0..groups).map(|cell| shown.shows(Row::Cell { table, cell })).collect();
        for (group, piece) in pieces.iter_mut().enumerate().take(groups) {
            for (is_told, condition) in piece.is_told.iter_mut().zip(conditions) {
                *is_told = by_group && is_sized[group] && self.is_told_in(shown, *condition, group);
            }
        }
        for (cells, patients) in &self.cohort.0 {
            let group = cells.get(table).map_or(groups, |group| usize::from(*group));
            let is_sized = is_sized.get(group).is_some_and(|is_sized| *is_sized);
            let piece = &mut pieces[if is_sized { group } else { groups }];
            let own = conditions.iter().filter_map(|condition| cells.get(*condition).copied());
            if let Some(place) = remainders::place_of(own) {
                piece.patients[place] += patients;
            }
        }
        pieces
    }
}

/// Of conditions from which together something about few patients would follow, the one that the protocol lists last is
/// hidden: as a whole where it follows from them as a whole, else in the group from which it follows, or in one group after
/// the other until what is hidden of it holds others enough. Cell by cell, each of them would lose one, and none could be
/// told.
fn hide_near(stock: &Stock<'_>, shown: &mut Shown, view: &View<'_>, k: u64) {
    let by_group: &[bool] = if view.layout.groups > 0 { &[false, true] } else { &[false] };
    for by_group in by_group {
        for conditions in together(view.layout.conditions) {
            while conditions.iter().all(|condition| view.is_told(shown, *condition)) {
                let pieces = view.pieces(shown, &conditions, *by_group);
                let Some(near) = remainders::find(&pieces, conditions.len(), k) else { break };
                let next = culprit(stock, shown, view, &conditions, (near, *by_group));
                shown.hide(next);
            }
        }
    }
}

/// One condition, two and three, each list after all others of the same conditions and of earlier ones.
fn together(conditions: usize) -> Vec<Vec<usize>> {
    let mut lists = Vec::new();
    for last in 0..conditions {
        lists.push(vec![last]);
        lists.extend((0..last).map(|one| vec![one, last]));
        lists
            .extend((0..last).flat_map(|one| (one + 1..last).map(move |two| vec![one, two, last])));
    }
    lists
}

/// What is hidden next: a cell, with which the whole condition goes, or the condition in a group.
fn culprit(
    stock: &Stock<'_>,
    shown: &Shown,
    view: &View<'_>,
    conditions: &[usize],
    (near, by_group): (Near, bool),
) -> Row {
    let last = conditions.last().copied().unwrap_or_default();
    let whole = Row::Cell { table: last, cell: 0 };
    if !by_group {
        return whole;
    }
    if let Near::InGroup(group) = near {
        return view.layout.block(last, group)[0];
    }
    let in_groups = conditions.iter().rev().map(|condition| {
        let groups = view.told_in(shown, *condition).into_iter();
        groups.map(|group| view.layout.block(*condition, group)[0]).collect::<Vec<Row>>()
    });
    let mut in_groups = in_groups.filter(|rows| !rows.is_empty());
    let rows = in_groups.next().unwrap_or_default();
    rows.into_iter().min_by_key(|row| stock.loss(*row)).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_one_two_and_three_conditions_are_looked_at_with_the_later_after_the_earlier() {
        let lists = together(3);
        let expected: [&[usize]; 7] = [&[0], &[1], &[0, 1], &[2], &[0, 2], &[1, 2], &[0, 1, 2]];
        assert_eq!(lists, expected);
        assert_eq!(together(14).len(), 14 + 91 + 364);
    }
}
