//! Whether what is told of conditions counts just the patients whom the rules look at.

use fedval_study::condition_groups::{self, ConditionGroup};
use fedval_study::conditions::ConditionFindings;
use fedval_study::members::{CONDITION_CELLS, UNLISTED, condition_cell};
use fedval_study::protocol::Table;
use fedval_study::{Members, PatientCounts, Performance};

use super::Withheld;
use crate::rules::dc01_closed_schema::SchemaBreach;

/// Patients of a group, or of all, by condition and cell.
type Counts = Vec<[u64; CONDITION_CELLS]>;

/// Every patient stands in one cell of each condition, under both labels, and in the cells by group that follow from these;
/// and what is told counts just these patients. The cells of each patient.
pub(super) fn check_members<'m>(
    members: &'m Members,
    found: &ConditionFindings,
    tables: &[Table],
) -> Result<Vec<&'m [u16]>, Withheld> {
    let conditions = found.conditions.len();
    let groups = tables.get(conditions).map_or(0, |table| table.categories.len());
    if found.groups.len() != groups {
        return Err(Withheld::Schema(SchemaBreach::Subgroups));
    }
    let breach = || Withheld::Schema(SchemaBreach::Inconsistent);
    let none = || vec![[0_u64; CONDITION_CELLS]; conditions];
    let mut whole = none();
    let mut by_group: Vec<(u64, Counts)> = (0..groups).map(|_| (0, none())).collect();
    let mut patients = Vec::with_capacity(members.patients.len());
    for cells in cells_of(members).ok_or_else(breach)? {
        let group = group_of(cells, conditions, groups).ok_or_else(breach)?;
        let own = &cells[..conditions];
        let references = references(own).ok_or_else(breach)?;
        let place = (group != UNLISTED).then_some(group);
        if condition_groups::cells(&references, place, groups) != cells {
            return Err(breach());
        }
        add(&mut whole, own);
        if let Some((patients, counts)) = by_group.get_mut(usize::from(group)) {
            *patients += 1;
            add(counts, own);
        }
        patients.push(cells);
    }
    let all = u64::try_from(members.patients.len()).unwrap_or(u64::MAX);
    let is_group = |((patients, counts), found): (&(u64, Counts), &ConditionGroup)| {
        *patients == found.patients && agree(counts, &found.conditions)
    };
    let is_sound = found.patients == all
        && agree(&whole, &found.conditions)
        && by_group.iter().zip(&found.groups).all(is_group);
    if is_sound { Ok(patients) } else { Err(breach()) }
}

/// The cells of each patient, the same in all cases and under both labels; `None` where they are not.
fn cells_of(members: &Members) -> Option<Vec<&[u16]>> {
    let mut cells_of: Vec<[Option<&[u16]>; 2]> = vec![[None; 2]; members.patients.len()];
    for case in &members.cases {
        let of = cells_of.get_mut(case.patient as usize)?;
        let cells = case.cells.as_slice();
        if *of[usize::from(case.positive)].get_or_insert(cells) != cells {
            return None;
        }
    }
    cells_of.into_iter().map(|[one, other]| one.filter(|_| one == other)).collect()
}

/// The place of a patient's group, [`UNLISTED`] of one in none; `None` where the tables are not those of the study.
fn group_of(cells: &[u16], conditions: usize, groups: usize) -> Option<u16> {
    if groups == 0 {
        return (cells.len() == conditions).then_some(UNLISTED);
    }
    let group = *cells.get(conditions)?;
    let is_listed = usize::from(group) < groups;
    (cells.len() == 2 * conditions + 1 && (is_listed || group == UNLISTED)).then_some(group)
}

/// What the cells of conditions' tables say of the reference standards; `None` where one is no such cell.
fn references(cells: &[u16]) -> Option<Vec<Option<bool>>> {
    let all = [Some(true), Some(false), None];
    let of = |cell: &u16| all.into_iter().find(|reference| condition_cell(*reference) == *cell);
    cells.iter().map(of).collect()
}

fn add(counts: &mut [[u64; CONDITION_CELLS]], cells: &[u16]) {
    for (counts, cell) in counts.iter_mut().zip(cells) {
        if let Some(count) = counts.get_mut(usize::from(*cell)) {
            *count += 1;
        }
    }
}

/// Whether what was counted of each condition counts these.
fn agree(counts: &[[u64; CONDITION_CELLS]], found: &[Option<Performance>]) -> bool {
    let is_it = |(counts, found): (&[u64; CONDITION_CELLS], &Option<Performance>)| {
        let at = |reference| counts[usize::from(condition_cell(reference))];
        let [with_positive, with_negative] = [at(Some(true)), at(Some(false))];
        let patients =
            PatientCounts { total: with_positive + with_negative, with_negative, with_positive };
        found.as_ref().map_or(PatientCounts::default(), |found| found.patients) == patients
    };
    counts.len() == found.len() && counts.iter().zip(found).all(is_it)
}
