//! What a site says of real-valued measures: of each group of patients a mean and a spread of each, on grids.
//!
//! A measure gives every patient one number between bounds that the protocol fixes. That is what bounds a patient's
//! influence: coming, going or changing, a patient moves a mean over n patients by no more than the distance of the
//! bounds over n, and means stand on grids at least as coarse. No sum, least, greatest or single number has a place here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;
use crate::coarse::OnGrid;
use crate::empty_masks::EmptyMasks;
use crate::performance::{ContradictoryPerformance, holds};

/// More patients are no cohort.
const MOST_PATIENTS: u64 = 1 << 40;

/// What is measured of a patient. Each has one name, in documents as on the wire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Measure {
    /// How far the prediction is from the reference, in either direction.
    AbsoluteError,
    /// Prediction minus reference.
    Error,
    /// The middle between prediction and reference: where on the scale a patient lies.
    Level,
    /// Dice's coefficient of two masks.
    Dice,
    /// The 95th percentile of distances between their surfaces, in millimetres.
    Hd95,
    /// The share of their surfaces within the tolerance.
    Nsd,
    /// Dice's coefficient, 0 where the structure was missed: of all patients who have it, and told alone where those in
    /// whom it was outlined are too few for the others.
    DiceMissesZero,
}

/// A text names no measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a measure; one of absolute_error, error, level, dice, hd95, nsd, dice_misses_zero")]
pub struct UnknownMeasure;

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AbsoluteError => "absolute_error",
            Self::Error => "error",
            Self::Level => "level",
            Self::Dice => "dice",
            Self::Hd95 => "hd95",
            Self::Nsd => "nsd",
            Self::DiceMissesZero => "dice_misses_zero",
        })
    }
}

impl FromStr for Measure {
    type Err = UnknownMeasure;

    fn from_str(text: &str) -> Result<Self, UnknownMeasure> {
        match text {
            "absolute_error" => Ok(Self::AbsoluteError),
            "error" => Ok(Self::Error),
            "level" => Ok(Self::Level),
            "dice" => Ok(Self::Dice),
            "hd95" => Ok(Self::Hd95),
            "nsd" => Ok(Self::Nsd),
            "dice_misses_zero" => Ok(Self::DiceMissesZero),
            _ => Err(UnknownMeasure),
        }
    }
}

impl TryFrom<String> for Measure {
    type Error = UnknownMeasure;

    fn try_from(text: String) -> Result<Self, UnknownMeasure> {
        text.parse()
    }
}

impl From<Measure> for String {
    fn from(measure: Measure) -> Self {
        measure.to_string()
    }
}

/// A measure of a task with the values that it can take, in 10⁻⁶ of its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasureRange {
    /// The measure.
    pub measure: Measure,
    /// The least value that a patient can have.
    pub lower_micro: i64,
    /// The largest.
    pub upper_micro: i64,
    /// No difference smaller than this is told, however many patients there are.
    pub finest_micro: u64,
}

impl MeasureRange {
    /// The distance of its bounds: by how much two patients can differ at most.
    #[must_use]
    pub const fn span_micro(&self) -> u64 {
        self.upper_micro.abs_diff(self.lower_micro)
    }

    /// The nearest value between the bounds.
    #[must_use]
    pub fn clip(&self, value_micro: i64) -> i64 {
        value_micro.max(self.lower_micro).min(self.upper_micro)
    }
}

/// One measure over a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Mean over patients, on a grid that hides one of them (DC-10).
    pub mean: OnGrid,
    /// The measure.
    pub measure: Measure,
    /// Standard deviation over patients, with n − 1, in two figures (DC-11); no less than the protocol's grid, so that
    /// it never says that all patients are alike.
    pub sd: OnGrid,
}

/// The aggregates of one group of patients, each counted once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasurePerformance {
    /// Patients in whom a mask is empty, beside those who are measured; absent of other tasks, and where the terms have
    /// no form for these counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_masks: Option<EmptyMasks>,
    /// Every measure of the task, in its order; or that one alone which misses count in.
    pub measures: Vec<Measured>,
    /// Distinct patients who were measured; a multiple of the rounding in force.
    #[serde(serialize_with = "exact_u64")]
    pub patients: u64,
}

impl MeasurePerformance {
    /// One measure of the group.
    #[must_use]
    pub fn of(&self, measure: &Measure) -> Option<&Measured> {
        self.measures.iter().find(|of| of.measure == *measure)
    }

    /// Whether nothing is told of those who were measured, being too few: only the mean that misses count in.
    #[must_use]
    pub fn is_of_misses(&self) -> bool {
        matches!(&self.measures[..], [of] if of.measure == Measure::DiceMissesZero)
    }

    /// Patients who have the structure: measured, or missed; `None` where misses are not told.
    #[must_use]
    pub fn having_structure(&self) -> Option<u64> {
        self.empty_masks.map(|of| self.patients.saturating_add(of.missed))
    }

    /// The consistency that can be tested without the protocol, given the rounding in force.
    ///
    /// # Errors
    ///
    /// [`ContradictoryPerformance`] names the relation that does not hold.
    pub fn check(&self, base: u64) -> Result<(), ContradictoryPerformance> {
        holds(base > 0 && self.patients.is_multiple_of(base), "counts are multiples of the base")?;
        let is_of_misses = self.is_of_misses();
        holds(
            !is_of_misses || self.empty_masks.is_some(),
            "a mean with misses stands beside them",
        )?;
        let least = u64::from(!is_of_misses);
        let is_cohort = (least..=MOST_PATIENTS).contains(&self.patients);
        holds(is_cohort, "patients are no more than a cohort has")?;
        let counts = self.empty_masks.map_or([0; 3], |of| {
            let without = of.without_structure;
            [of.missed, without.map_or(0, |of| of.neither), without.map_or(0, |of| of.spurious)]
        });
        let are_counts = counts.iter().all(|count| *count <= MOST_PATIENTS);
        holds(are_counts, "empty masks are no more than a cohort has")?;
        holds(self.empty_masks.is_none() || base == 1, "empty masks are counted exactly")?;
        for Measured { mean, sd, .. } in &self.measures {
            holds(is_on_grid(*mean) && is_on_grid(*sd), "a number stands on its grid")?;
            holds(sd.value_micro > 0, "a spread is positive")?;
            holds(has_two_figures(*sd), "a spread has two figures")?;
        }
        let (absolute, error) = (self.of(&Measure::AbsoluteError), self.of(&Measure::Error));
        let Some((absolute, error)) = absolute.zip(error) else { return Ok(()) };
        // Each was rounded by up to half of its grid.
        let room = absolute.mean.grid_micro.saturating_add(error.mean.grid_micro);
        let most = absolute.mean.value_micro.unsigned_abs().saturating_add(room);
        holds(absolute.mean.value_micro >= 0, "an absolute error is not negative")?;
        let bias = error.mean.value_micro.unsigned_abs();
        holds(bias <= most, "a bias is no larger than the mean absolute error")
    }
}

/// Ten to a hundred of a power of ten, or fewer of the finest.
fn has_two_figures(number: OnGrid) -> bool {
    let figures = number.value_micro.unsigned_abs() / number.grid_micro;
    let exponent = number.grid_micro.ilog10();
    let is_power = 10_u64.checked_pow(exponent) == Some(number.grid_micro);
    is_power && figures <= 100 && (figures >= 10 || number.grid_micro == 1)
}

const fn is_on_grid(number: OnGrid) -> bool {
    number.grid_micro > 0 && number.value_micro.unsigned_abs().is_multiple_of(number.grid_micro)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canonical;

    fn measured(measure: Measure, mean: i64, sd: i64) -> Measured {
        let on = |value_micro, grid_micro| OnGrid { value_micro, grid_micro };
        Measured { mean: on(mean, 50_000), measure, sd: on(sd, 10_000) }
    }

    fn performance() -> MeasurePerformance {
        let measures = vec![
            measured(Measure::AbsoluteError, 400_000, 310_000),
            measured(Measure::Error, -150_000, 480_000),
            measured(Measure::Level, 5_000_000, 990_000),
        ];
        MeasurePerformance { empty_masks: None, measures, patients: 60 }
    }

    #[test]
    fn measures_survive_their_form_and_their_names() {
        let found = performance();
        assert_eq!(found.check(1), Ok(()));
        let canonical = Canonical::new(found.clone()).unwrap();
        let read: Canonical<MeasurePerformance> = Canonical::parse(canonical.bytes()).unwrap();
        assert_eq!(read.value(), &found);
        for measure in found.measures.iter().map(|of| &of.measure) {
            assert_eq!(measure.to_string().parse(), Ok(measure.clone()));
        }
        assert_eq!("maximum".parse::<Measure>(), Err(UnknownMeasure));
        assert_eq!("dice_misses_zero".parse(), Ok(Measure::DiceMissesZero));
        assert_eq!(Measure::DiceMissesZero.to_string(), "dice_misses_zero");
    }

    #[test]
    fn a_mean_with_misses_alone_stands_beside_them_and_may_be_of_nobody_who_was_measured() {
        let missed = EmptyMasks { missed: 60, without_structure: None };
        let alone = MeasurePerformance {
            empty_masks: Some(missed),
            measures: vec![measured(Measure::DiceMissesZero, 0, 100_000)],
            patients: 0,
        };
        assert!(alone.is_of_misses() && !performance().is_of_misses());
        assert_eq!((alone.check(1), alone.having_structure()), (Ok(()), Some(60)));
        assert!(MeasurePerformance { empty_masks: None, ..alone.clone() }.check(1).is_err());
        let other = vec![measured(Measure::Dice, 0, 100_000)];
        assert!(MeasurePerformance { measures: other, ..alone }.check(1).is_err());
    }

    #[test]
    fn what_no_group_has_is_refused() {
        let wrong: [fn(&mut MeasurePerformance); 11] = [
            |p| p.patients = 0,
            |p| p.patients = u64::MAX,
            |p| p.measures[0].mean.value_micro += 1,
            |p| p.measures[0].mean.grid_micro = 0,
            |p| p.measures[0].mean.value_micro = -50_000,
            |p| p.measures[1].mean.value_micro = -600_000,
            |p| p.measures[2].sd.value_micro = 0,
            |p| p.measures[2].sd.value_micro = -10_000,
            // Three figures.
            |p| p.measures[2].sd.value_micro = 1_230_000,
            // One figure, and a grid that is no power of ten.
            |p| p.measures[2].sd.value_micro = 90_000,
            |p| p.measures[2].sd.grid_micro = 30_000,
        ];
        for (place, wrong) in wrong.into_iter().enumerate() {
            let mut found = performance();
            wrong(&mut found);
            assert!(found.check(1).is_err(), "{place}");
        }
        assert!(performance().check(7).is_err(), "60 is no multiple of 7");
    }

    #[test]
    fn values_are_held_to_their_bounds() {
        let range = MeasureRange {
            measure: Measure::Error,
            lower_micro: -30,
            upper_micro: 40,
            finest_micro: 1,
        };
        assert_eq!(range.span_micro(), 70);
        assert_eq!([-31, 0, 41].map(|value| range.clip(value)), [-30, 0, 40]);
    }
}
