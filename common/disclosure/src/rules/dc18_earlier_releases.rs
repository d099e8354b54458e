//! DC-18: this release beside every earlier one.
//!
//! Two cells that share patients must hold the same ones, label by label, or differ by at least k:
//! otherwise their difference is about few. A cell that comes near an earlier one is hidden; where it
//! is the whole cohort, the job is refused, and the coordinator hears nothing but that. What follows
//! from several releases together is for the rank test of DC-17, over all of them. All releases count,
//! whatever their model: a model may be another but for a trigger.
//!
//! Source: DAP `batchOverlap`; ABS (differences below 10 must not be computable); demonstration that two
//! cohorts which differ by one patient give away that patient's rank and label.

use std::collections::BTreeSet;

use fedval_study::Members;
use fedval_study::members::MemberKey;

use super::{Rule, dc09_joint_error};
use crate::cell_plan::Shown;
use crate::ledger::{Differences, Footprint, History, Label, Row};

/// Hides every cell that comes near one of an earlier release.
///
/// # Errors
///
/// DC-18 where the whole cohort does.
pub(crate) fn hide_near(
    shown: &mut Shown,
    own: &Footprint,
    earlier: &Footprint,
    k: u64,
) -> Result<(), Rule> {
    let mut theirs = vec![Row::Whole];
    for (table, cells) in earlier.shown.iter().enumerate() {
        let visible = cells.iter().enumerate().filter(|(_, shown)| **shown);
        theirs.extend(visible.map(|(cell, _)| Row::Cell { table, cell }));
    }
    for label in Label::BOTH {
        let differences = Differences::new(own, earlier, label);
        let is_near = |row: Row| {
            theirs
                .iter()
                .any(|other| differences.between(row, *other).is_some_and(|n| n > 0 && n < k))
        };
        if is_near(Row::Whole) {
            return Err(Rule::Dc18);
        }
        for row in shown.visible() {
            if is_near(row) {
                shown.hide(row);
            }
        }
    }
    Ok(())
}

/// Whether an earlier release about any of these patients carried noise and this one would not, or the
/// other way round: exact counts beside noisy ones of the same cells would show the noise.
pub(crate) fn mixes_noise(members: &Members, noisy: bool, history: &History) -> bool {
    let own: BTreeSet<_> = members.patients.iter().collect();
    let released = history.0.iter().filter(|earlier| earlier.released);
    released.filter_map(|earlier| earlier.footprint.as_ref()).any(|footprint| {
        footprint.noisy != noisy
            && footprint.members.patients.iter().any(|patient| own.contains(patient))
    })
}

/// Whether response counts that are hidden or rounded could be had by subtraction from an earlier
/// release: on some of the same patients but not all. Of whatever model: one may be another's twin.
pub(crate) fn responses_meet_others(own: &Footprint, history: &History) -> bool {
    let differ = |earlier: &Footprint, label: Label| {
        Differences::new(own, earlier, label)
            .between(Row::Whole, Row::Whole)
            .is_some_and(|patients| patients > 0)
    };
    history
        .exact()
        .any(|(_, footprint)| Label::BOTH.into_iter().any(|label| differ(footprint, label)))
}

/// Whether an earlier release was about any of these patients, in other cells or beside others: what it told of groups, the
/// same patients in the same cells do not.
pub(crate) fn meets_other_cells(members: &Members, history: &History) -> bool {
    of_other_cells(members, history).next().is_some()
}

/// Whether such a release may have held the error of a mean over conditions.
pub(crate) fn may_have_held_joint_error(members: &Members, history: &History) -> bool {
    of_other_cells(members, history).any(dc09_joint_error::may_have_left)
}

fn of_other_cells<'h>(
    members: &Members,
    history: &'h History,
) -> impl Iterator<Item = &'h Footprint> {
    let own: BTreeSet<MemberKey> = members.patients.iter().copied().collect();
    let others = history.exact().map(|(_, footprint)| footprint);
    let others = others.filter(move |footprint| footprint.members != *members);
    others.filter(move |footprint| {
        footprint.members.patients.iter().any(|patient| own.contains(patient))
    })
}

/// Whether an earlier release was about any of these patients.
pub(crate) fn meets_others(members: &Members, history: &History) -> bool {
    let own: BTreeSet<_> = members.patients.iter().collect();
    history.exact().any(|(_, footprint)| {
        footprint.members.patients.iter().any(|patient| own.contains(patient))
    })
}
