//! From what may be shown to a release, in the form that the terms in force allow.

pub(crate) mod coarse;
pub(crate) mod detection;
pub(crate) mod empty_masks;
pub(crate) mod exact;
pub(crate) mod measures;
pub(crate) mod misses;
pub(crate) mod noisy;

use fedval_study::summary::{DimensionSummary, GroupSummary, Leaf};
use fedval_study::{Cell, Performance};

use crate::cell_plan::CellPlan;
use crate::decision::{Decision, Verdict};
use crate::rules::dc25_marking::Suppression;
use crate::rules::{Rule, dc14_per_case};

/// A group whose aggregates may be shown, in the form of sums that may be shown of it.
pub(crate) struct Visible<'e> {
    pub(crate) summary: &'e GroupSummary,
    pub(crate) performance: &'e Performance,
}

/// A table with what may be shown of it.
pub(crate) struct VisibleTable<'e> {
    pub(crate) summary: &'e DimensionSummary,
    /// Each listed cell, in the protocol's order.
    pub(crate) cells: Vec<Cell<Visible<'e>>>,
}

impl VisibleTable<'_> {
    /// Groups that are not shown, the unlisted one among them.
    pub(crate) fn hidden_groups(&self) -> impl Iterator<Item = &GroupSummary> {
        let shown = |index: usize| matches!(self.cells.get(index), Some(Cell::Released(_)));
        let leaves = self.summary.leaves.iter().enumerate();
        leaves.filter(move |(index, _)| !shown(*index)).filter_map(|(_, leaf)| leaf.group.as_ref())
    }

    /// Whether every patient is in a shown cell.
    pub(crate) fn is_whole(&self) -> bool {
        self.hidden_groups().next().is_none()
            && self.cells.iter().all(|cell| cell.released().is_some())
    }

    /// The quantity's name.
    pub(crate) fn quantity(&self, index: usize) -> String {
        let category = self.listed(index).and_then(|leaf| leaf.category.as_ref());
        format!("{} = {}", self.summary.dimension, category.map_or("", |name| name.as_str()))
    }

    pub(crate) fn listed(&self, index: usize) -> Option<&Leaf> {
        self.summary.leaves.get(index)
    }
}

/// How patients with several cases lie in a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repeats {
    /// Whether the table has rows and columns.
    pub(crate) is_crossing: bool,
    /// Patients with cases in several of its cells.
    pub(crate) straddling: u64,
}

/// Chooses for each group the sums that may be shown, and notes what was decided.
pub(crate) fn visible<'e>(
    summary: &'e DimensionSummary,
    plan: &[Option<crate::cell_plan::Hidden>],
    kind: Repeats,
    k: u64,
    decisions: &mut Vec<Decision>,
) -> VisibleTable<'e> {
    let by_patient = sums_by_patient(summary, plan, kind, k);
    let mut table = VisibleTable { summary, cells: Vec::new() };
    for (index, hidden) in plan.iter().enumerate() {
        let group = summary.leaves.get(index).and_then(|leaf| leaf.group.as_ref());
        let quantity = table.quantity(index);
        let cell = match (group, hidden) {
            (Some(group), None) => {
                decisions.push(Decision::new(&quantity, Verdict::Released, Rule::Dc03));
                Cell::Released(chosen(&quantity, group, by_patient[index], decisions))
            }
            (_, hidden) => {
                // Without a reason to hide it, it is empty by structure, and looks like the others.
                let (why, rule) = hidden
                    .map_or((Suppression::Primary, Rule::Dc05), |hidden| (hidden.why, hidden.rule));
                decisions.push(Decision::new(&quantity, Verdict::Withheld(why), rule));
                Cell::Suppressed
            }
        };
        table.cells.push(cell);
    }
    table
}

/// For each leaf, whether its sums by patient may be shown beside the others'.
fn sums_by_patient(
    summary: &DimensionSummary,
    plan: &[Option<crate::cell_plan::Hidden>],
    kind: Repeats,
    k: u64,
) -> Vec<bool> {
    let leaves: Vec<(u64, bool)> = summary
        .leaves
        .iter()
        .enumerate()
        .map(|(index, leaf)| {
            let several = leaf.group.as_ref().map_or(0, |group| group.patients_with_several);
            (several, plan.get(index).is_some_and(Option::is_none))
        })
        .collect();
    if !dc14_per_case::sums_by_patient_are_safe(kind.straddling, k) {
        return vec![false; leaves.len()];
    }
    if kind.is_crossing {
        // Rows and columns have sums of their own: nothing by patient where anybody repeats.
        let nobody_repeats = leaves.iter().all(|(several, _)| *several == 0);
        return vec![nobody_repeats; leaves.len()];
    }
    dc14_per_case::leaves_by_patient(&leaves, k)
}

/// The form of a group's aggregates that may be shown.
pub(crate) fn chosen<'e>(
    quantity: &str,
    summary: &'e GroupSummary,
    by_patient: bool,
    decisions: &mut Vec<Decision>,
) -> Visible<'e> {
    if by_patient {
        return Visible { summary, performance: &summary.by_patient };
    }
    let quantity = format!("{quantity}: sums by patient");
    let verdict = Verdict::Withheld(Suppression::Primary);
    decisions.push(Decision::new(quantity, verdict, Rule::Dc14));
    Visible { summary, performance: &summary.by_case }
}

/// For each table, whether each cell is shown.
pub(crate) fn shown(plan: &CellPlan) -> Vec<Vec<bool>> {
    plan.iter().map(|cells| cells.iter().map(Option::is_none).collect()).collect()
}
