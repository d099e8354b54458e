//! Several conditions by the categories of one dimension: the tables that a study is told in, and what is told of a group.
//!
//! A group is told as the whole cohort is, condition by condition, but for the error of the mean over conditions, which
//! stays. One dimension alone: with two, the tables of two conditions and both dimensions would close a circle (DC-16), and
//! counts that agree on every table need then be those of no cohort.

use crate::conditions::{ConditionPerformance, told};
use crate::id::Name;
use crate::members::{CONDITION_CELLS, UNLISTED, condition_cell};
use crate::performance::{ContradictoryPerformance, Performance, holds};
use crate::protocol::{Condition, StudyProtocol, Table, TableKind};
use crate::result::{Cell, SubgroupCell};

/// Conditions times groups, the whole cohort counted as one more: each takes up to 900 bits of the 32768 that a site's
/// policy has for one job unless it says otherwise, in a cohort of a hundred thousand patients with one cut-off for each
/// condition, or of twenty thousand with two.
pub const MOST_TOLD: usize = 36;

/// The cells of a condition's table, in the order of [`condition_cell`].
pub const CELLS: [&str; CONDITION_CELLS] = ["present", "absent", "missing"];

/// What was counted of one group: exact, for the gate to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConditionGroup {
    /// Of each condition, in the protocol's order; `None` where nobody of the group was assessed for it.
    pub conditions: Vec<Option<Performance>>,
    /// Patients of the group who were assessed for at least one condition.
    pub patients: u64,
}

impl ConditionGroup {
    /// What leaves of it where the conditions at these places do; nothing where none does.
    #[must_use]
    pub fn shown(&self, conditions: &[Condition], is_shown: &[bool]) -> Cell<ConditionPerformance> {
        let conditions = told(conditions, &self.conditions, is_shown);
        if conditions.iter().all(|cell| cell.performance.released().is_none()) {
            return Cell::Suppressed;
        }
        Cell::Released(ConditionPerformance {
            conditions,
            macro_se_nano: Cell::Suppressed,
            patients: self.patients,
        })
    }
}

/// Every table of such a study: of each condition who has it, who has not and who was not assessed; then, where there are
/// groups, who is in each, and of each condition the same three by group. The cells of the last are named by group alone.
///
/// # Panics
///
/// Never: the names of a condition's cells are names.
#[must_use]
pub fn tables(protocol: &StudyProtocol) -> Vec<Table> {
    let conditions = protocol.task.conditions();
    let cell = |name: &str| -> Name { name.parse().expect("a literal of the allowed characters") };
    let one_way = |(place, condition): (usize, &Condition)| Table {
        name: condition.name.clone(),
        categories: CELLS.map(cell).into(),
        kind: TableKind::OneWay(place),
    };
    let mut tables: Vec<Table> = conditions.iter().enumerate().map(one_way).collect();
    let Some(dimension) = protocol.subgroups.first() else { return tables };
    let categories: Vec<Name> = dimension.category_names().into_iter().cloned().collect();
    let columns = conditions.len();
    tables.push(Table {
        name: dimension.name.clone(),
        categories: categories.clone(),
        kind: TableKind::OneWay(columns),
    });
    let by_group = |(rows, condition): (usize, &Condition)| Table {
        name: condition.name.clone(),
        categories: CELLS.iter().flat_map(|_| categories.iter().cloned()).collect(),
        kind: TableKind::Crossing { rows, columns },
    };
    tables.extend(conditions.iter().enumerate().map(by_group));
    tables
}

/// A patient's cell in each of [`tables`], by what the reference standard says of each condition and the category, by its
/// place among so many `groups`; `None` of a patient in none. Without groups there are only the tables of conditions.
#[must_use]
pub fn cells(references: &[Option<bool>], group: Option<u16>, groups: usize) -> Vec<u16> {
    let own: Vec<u16> = references.iter().map(|reference| condition_cell(*reference)).collect();
    if groups == 0 {
        return own;
    }
    let by_group = |cell: &u16| {
        let place = usize::from(*cell) * groups + usize::from(group?);
        u16::try_from(place).ok()
    };
    let crossed: Vec<u16> = own.iter().map(|cell| by_group(cell).unwrap_or(UNLISTED)).collect();
    own.into_iter().chain([group.unwrap_or(UNLISTED)]).chain(crossed).collect()
}

/// The consistency of groups with the whole that can be tested without the data: a condition is told of a group only where
/// it is told of the whole, and all groups together hold no more than the whole.
///
/// # Errors
///
/// [`ContradictoryPerformance`] names the relation that does not hold.
pub fn check(
    overall: &ConditionPerformance,
    groups: &[SubgroupCell<ConditionPerformance>],
) -> Result<(), ContradictoryPerformance> {
    let shown: Vec<&ConditionPerformance> =
        groups.iter().filter_map(|cell| cell.performance.released()).collect();
    for group in &shown {
        group.check()?;
        let is_told = group.conditions.iter().any(|cell| cell.performance.released().is_some());
        holds(is_told, "a group is told of where a condition of it is")?;
        let stays = group.macro_se_nano.released().is_none();
        holds(stays, "the error of a mean over conditions leaves of no group")?;
    }
    let sum = |of: &dyn Fn(&ConditionPerformance) -> u64| {
        shown.iter().fold(0, |sum: u64, group| sum.saturating_add(of(group)))
    };
    let part = "subgroups are part of the whole cohort";
    holds(sum(&|group| group.patients) <= overall.patients, part)?;
    for cell in &overall.conditions {
        let of = |group: &ConditionPerformance, count: &dyn Fn(&Performance) -> u64| {
            group.of(&cell.name).map_or(0, count)
        };
        let Some(whole) = cell.performance.released() else {
            let stays = shown.iter().all(|group| group.of(&cell.name).is_none());
            holds(stays, "a condition is told of a group where it is told of the whole")?;
            continue;
        };
        let with = sum(&|group| of(group, &|own| own.patients.with_positive));
        let without = sum(&|group| of(group, &|own| own.patients.with_negative));
        let missing = sum(&|group| of(group, &|own| group.missing(own)));
        holds(with <= whole.patients.with_positive, part)?;
        holds(without <= whole.patients.with_negative, part)?;
        holds(missing <= overall.missing(whole), part)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_stands_in_every_table_once_and_in_no_group_in_none_by_group() {
        let references = [Some(true), None, Some(false)];
        assert_eq!(cells(&references, None, 0), [0, 2, 1]);
        assert_eq!(cells(&references, Some(3), 4), [0, 2, 1, 3, 3, 11, 7]);
        let nowhere = [0, 2, 1, UNLISTED, UNLISTED, UNLISTED, UNLISTED];
        assert_eq!(cells(&references, None, 4), nowhere);
    }
}
