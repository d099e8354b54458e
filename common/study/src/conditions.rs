//! What a site says of a task with several conditions: of each condition every patient who was assessed for it, once.

use fedval_stats::auroc::delong;
use fedval_stats::multilabel::MacroArea;
use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;
use crate::classes::{from_nano, nano};
use crate::condition_groups::ConditionGroup;
use crate::id::Name;
use crate::performance::{ContradictoryPerformance, Performance, holds};
use crate::protocol::{Condition, MOST_CONDITIONS};
use crate::result::{Cell, exact_cell};
use crate::two_figures;

/// More patients are no cohort.
const MOST_PATIENTS: u64 = 1 << 40;

/// The aggregates of several conditions.
///
/// Patients of two conditions overlap, and of each other patients may be missing: nothing of one condition follows
/// from the others. How many patients of both are in one never travels; the error of the mean of the areas, in which
/// the patients of two conditions meet, leaves to two figures and only where every such meeting is of nobody or of many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionPerformance {
    /// Of each condition, in the protocol's order.
    pub conditions: Vec<ConditionCell>,
    /// The standard error of the mean of the areas, in 10⁻⁹, between patients (see
    /// [`macro_area`](fedval_stats::multilabel::macro_area)), to two figures; suppressed beside a condition that is, and
    /// where it would tell how few patients have two of them.
    #[serde(serialize_with = "exact_cell")]
    pub macro_se_nano: Cell<u64>,
    /// Patients who were assessed for at least one condition.
    #[serde(serialize_with = "exact_u64")]
    pub patients: u64,
}

/// One condition, or the mark that it was suppressed: with its counts and with how many were not assessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionCell {
    /// Its name in the protocol.
    pub name: Name,
    /// Of the patients who were assessed for it, each counted once.
    pub performance: Cell<Performance>,
}

/// What was counted of several conditions: exact, for the gate to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionFindings {
    /// Of each condition, in the protocol's order; `None` where nobody was assessed for it.
    pub conditions: Vec<Option<Performance>>,
    /// The same of each category of the study's dimension, in its order; none where it has no groups.
    pub groups: Vec<ConditionGroup>,
    /// The standard error of the mean of the areas, in 10⁻⁹, to two figures; `None` where it cannot be estimated.
    pub macro_se_nano: Option<u64>,
    /// Patients who were assessed for at least one condition.
    pub patients: u64,
}

impl ConditionPerformance {
    /// The aggregates of a condition, where they were released.
    #[must_use]
    pub fn of(&self, condition: &Name) -> Option<&Performance> {
        self.conditions.iter().find(|cell| cell.name == *condition)?.performance.released()
    }

    /// Patients who were not assessed for a condition that was released.
    #[must_use]
    pub const fn missing(&self, performance: &Performance) -> u64 {
        self.patients.saturating_sub(performance.patients.total)
    }

    /// The mean of the areas with its standard error, on the probability scale. Where the error stayed, the mean of the
    /// areas' own stands in its place, which it cannot exceed whatever patients the conditions share.
    ///
    /// `None` where a condition stayed, or an area cannot be estimated.
    #[must_use]
    pub fn macro_area(&self) -> Option<(f64, f64)> {
        let areas = self.areas()?;
        let told = self.macro_se_nano.released();
        Some((areas.mean, told.map_or(areas.mean_se, |nano| from_nano(*nano))))
    }

    /// All areas together.
    fn areas(&self) -> Option<Areas> {
        let (mut sum, mut errors, mut largest, mut count) = (0.0, 0.0, 0.0_f64, 0.0);
        for cell in &self.conditions {
            let area = delong(&cell.performance.released()?.ranks).ok()?;
            sum += area.auc;
            errors += area.se;
            largest = largest.max(area.se);
            count += 1.0;
        }
        let least_se = ((2.0 * largest - errors) / count).max(0.0);
        (count > 0.0).then(|| Areas { mean: sum / count, mean_se: errors / count, least_se })
    }

    /// The consistency that can be tested without the data.
    ///
    /// # Errors
    ///
    /// [`ContradictoryPerformance`] names the relation that does not hold.
    pub fn check(&self) -> Result<(), ContradictoryPerformance> {
        let conditions = (2..=MOST_CONDITIONS).contains(&self.conditions.len());
        holds(conditions, "a task has 2 to 14 conditions")?;
        holds(self.patients <= MOST_PATIENTS, "patients are no more than a cohort has")?;
        for performance in self.conditions.iter().filter_map(|cell| cell.performance.released()) {
            performance.check()?;
            let patients = performance.patients;
            holds(
                Some(patients.total)
                    == performance.ranks.n_pos.checked_add(performance.ranks.n_neg),
                "of a condition every patient is counted once",
            )?;
            holds(patients.total <= self.patients, "who is assessed for a condition is a patient")?;
        }
        self.macro_se_nano.released().map_or(Ok(()), |nano| self.check_macro_se(*nano))
    }

    fn check_macro_se(&self, nano: u64) -> Result<(), ContradictoryPerformance> {
        let Some(areas) = self.areas() else {
            return holds(false, "a mean stands beside all that it is of");
        };
        let is_written_so = nano > 0 && two_figures::are_all(nano);
        holds(is_written_so, "an error has two figures, and is not nothing")?;
        let se = from_nano(nano);
        let room = ROUNDING * se + from_nano(1);
        holds(se - room <= areas.mean_se, "a mean errs no more than what it is of")?;
        holds(
            se + room >= areas.least_se,
            "a mean errs no less than its parts leave of the largest",
        )
    }
}

/// Two figures are off by no more than a twentieth.
const ROUNDING: f64 = 0.05;

/// The areas of all conditions.
struct Areas {
    mean: f64,
    /// The mean of their standard errors: that of the mean if all went up and down together.
    mean_se: f64,
    /// The standard error of the mean if all others went against the one that errs the most.
    least_se: f64,
}

impl ConditionFindings {
    /// The error of the mean in the form in which it travels, to two figures; `None` of what is no standard error.
    #[must_use]
    pub fn told(area: &MacroArea) -> Option<u64> {
        nano(area.se).filter(|nano| *nano > 0).map(two_figures::rounded)
    }

    /// What leaves where the conditions at these places do.
    #[must_use]
    pub fn shown(&self, conditions: &[Condition], is_shown: &[bool]) -> ConditionPerformance {
        let conditions = told(conditions, &self.conditions, is_shown);
        let is_whole = conditions.iter().all(|cell| cell.performance.released().is_some());
        let se = self.macro_se_nano.filter(|_| is_whole);
        ConditionPerformance {
            conditions,
            macro_se_nano: se.map_or(Cell::Suppressed, Cell::Released),
            patients: self.patients,
        }
    }
}

/// Each condition, or in the place of one that is not shown the mark that it was suppressed.
pub(crate) fn told(
    conditions: &[Condition],
    counted: &[Option<Performance>],
    is_shown: &[bool],
) -> Vec<ConditionCell> {
    let cell = |(place, condition): (usize, &Condition)| {
        let own = counted.get(place).and_then(Option::as_ref);
        let own = own.filter(|_| is_shown.get(place).copied().unwrap_or(false));
        ConditionCell {
            name: condition.name.clone(),
            performance: own.map_or(Cell::Suppressed, |own| Cell::Released(own.clone())),
        }
    };
    conditions.iter().enumerate().map(cell).collect()
}
