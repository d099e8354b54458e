//! What a site says of a task with several conditions: of each condition every patient who was assessed for it, once.

use fedval_stats::auroc::delong;
use fedval_stats::multilabel::MacroArea;
use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;
use crate::classes::{from_nano, nano};
use crate::id::Name;
use crate::performance::{ContradictoryPerformance, Performance, holds};
use crate::protocol::{Condition, MOST_CONDITIONS};
use crate::result::{Cell, exact_cell};

/// More patients are no cohort.
const MOST_PATIENTS: u64 = 1 << 40;

/// The aggregates of several conditions.
///
/// Patients of two conditions overlap, and of each other patients may be missing: nothing of one condition follows
/// from the others. How many patients of both are in one, and products of two areas' placements, never travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionPerformance {
    /// Of each condition, in the protocol's order.
    pub conditions: Vec<ConditionCell>,
    /// The standard error of the mean of the areas, in 10⁻⁹, between patients (see
    /// [`macro_area`](fedval_stats::multilabel::macro_area)); suppressed beside a condition that is, and where there is
    /// none.
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
    /// The standard error of the mean of the areas, in 10⁻⁹; `None` where it cannot be estimated.
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

    /// The mean of the areas with its standard error, on the probability scale.
    ///
    /// `None` where a condition or the error stayed, or an area cannot be estimated.
    #[must_use]
    pub fn macro_area(&self) -> Option<(f64, f64)> {
        let (mean, _) = self.areas()?;
        Some((mean, from_nano(*self.macro_se_nano.released()?)))
    }

    /// The means of all areas and of their standard errors.
    fn areas(&self) -> Option<(f64, f64)> {
        let (mut mean, mut se, mut areas) = (0.0, 0.0, 0.0);
        for cell in &self.conditions {
            let area = delong(&cell.performance.released()?.ranks).ok()?;
            mean += area.auc;
            se += area.se;
            areas += 1.0;
        }
        (areas > 0.0).then(|| (mean / areas, se / areas))
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
        let Cell::Released(macro_se_nano) = self.macro_se_nano else { return Ok(()) };
        let most = self.areas().and_then(|(_, se)| nano(se));
        holds(most.is_some(), "a mean stands beside all that it is of")?;
        // A unit more: both were rounded.
        let most = most.map_or(0, |most| most + 1);
        holds(macro_se_nano <= most, "a mean errs no more than what it is of")
    }
}

impl ConditionFindings {
    /// The error of the mean in the form in which it travels; `None` of what is no standard error.
    #[must_use]
    pub fn told(area: &MacroArea) -> Option<u64> {
        nano(area.se)
    }

    /// What leaves where the conditions at these places do.
    #[must_use]
    pub fn shown(&self, conditions: &[Condition], is_shown: &[bool]) -> ConditionPerformance {
        let cell = |(place, condition): (usize, &Condition)| {
            let own = self.conditions.get(place).and_then(Option::as_ref);
            let own = own.filter(|_| is_shown.get(place).copied().unwrap_or(false));
            ConditionCell {
                name: condition.name.clone(),
                performance: own.map_or(Cell::Suppressed, |own| Cell::Released(own.clone())),
            }
        };
        let conditions: Vec<ConditionCell> = conditions.iter().enumerate().map(cell).collect();
        let is_whole = conditions.iter().all(|cell| cell.performance.released().is_some());
        let se = self.macro_se_nano.filter(|_| is_whole);
        ConditionPerformance {
            conditions,
            macro_se_nano: se.map_or(Cell::Suppressed, Cell::Released),
            patients: self.patients,
        }
    }
}
