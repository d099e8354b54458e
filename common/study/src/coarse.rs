//! What a site says of one group where its policy keeps more back than `standard`: response counts
//! may stay, and numbers may stand on coarse grids.

use serde::{Deserialize, Serialize};

use crate::canonical::{exact_i64, exact_u64};
use crate::id::Name;
use crate::performance::{ContradictoryPerformance, PatientCounts, holds};
use crate::result::Cell;

/// A number on a grid, both in 10⁻⁶; `value` is a multiple of `grid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnGrid {
    /// The number.
    #[serde(serialize_with = "exact_i64")]
    pub value_micro: i64,
    /// Distance of two values that can be told apart.
    #[serde(serialize_with = "exact_u64")]
    pub grid_micro: u64,
}

impl OnGrid {
    /// The number.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "canonical documents hold less than 2^53")]
    pub const fn value(&self) -> f64 {
        self.value_micro as f64 / 1e6
    }
}

/// The errors among the cases of one label: the other response count is the rest of the label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoarsePoint {
    /// The operating point's name in the protocol.
    pub name: Name,
    /// Positives called negative.
    #[serde(serialize_with = "crate::result::exact_cell")]
    pub false_negatives: Cell<u64>,
    /// Negatives called positive.
    #[serde(serialize_with = "crate::result::exact_cell")]
    pub false_positives: Cell<u64>,
}

/// Summaries of scores on grids at least as coarse as the largest influence of one patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridScores {
    /// AUROC; absent where no grid hides one patient.
    pub auroc: Option<OnGrid>,
    /// Brier score.
    pub brier: OnGrid,
    /// Mean predicted probability.
    pub mean_probability: OnGrid,
    /// Expected calibration error.
    pub ece: OnGrid,
    /// The fitted recalibration; absent where there is no fit.
    pub calibration: Option<GridCalibration>,
}

/// A fitted recalibration on grids; standard errors have two significant figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridCalibration {
    /// Intercept.
    pub intercept: OnGrid,
    /// Its standard error.
    pub se_intercept: OnGrid,
    /// Slope.
    pub slope: OnGrid,
    /// Its standard error.
    pub se_slope: OnGrid,
    /// Calibration in the large.
    pub citl: OnGrid,
    /// Its standard error.
    pub se_citl: OnGrid,
}

/// The aggregates of one group of patients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoarsePerformance {
    /// Distinct patients, rounded.
    pub patients: PatientCounts,
    /// Cases with the target condition, rounded.
    #[serde(serialize_with = "exact_u64")]
    pub n_pos: u64,
    /// Cases without, rounded.
    #[serde(serialize_with = "exact_u64")]
    pub n_neg: u64,
    /// One entry for each operating point of the protocol, in its order.
    pub operating_points: Vec<CoarsePoint>,
    /// Scores.
    pub scores: GridScores,
}

impl CoarsePerformance {
    /// The consistency that can be tested without the data, given the rounding in force.
    ///
    /// # Errors
    ///
    /// [`ContradictoryPerformance`] names the relation that does not hold.
    pub fn check(&self, base: u64) -> Result<(), ContradictoryPerformance> {
        let PatientCounts { total, with_positive, with_negative } = self.patients;
        let counts = [total, with_positive, with_negative, self.n_pos, self.n_neg];
        holds(counts.iter().all(|n| n.is_multiple_of(base)), "counts are multiples of the base")?;
        // Each was rounded by itself, by less than one base.
        let most = |limit: u64| limit.saturating_add(base - 1);
        holds(with_positive <= most(self.n_pos), "a patient with positives has one")?;
        holds(with_negative <= most(self.n_neg), "a patient with negatives has one")?;
        holds(with_positive.max(with_negative) <= most(total), "patients of a label are patients")?;
        for point in &self.operating_points {
            for (errors, cases) in
                [(&point.false_negatives, self.n_pos), (&point.false_positives, self.n_neg)]
            {
                let Some(errors) = errors.released() else { continue };
                holds(errors.is_multiple_of(base), "counts are multiples of the base")?;
                holds(*errors <= cases, "errors are cases")?;
            }
        }
        self.scores.check()
    }
}

impl GridScores {
    fn all(&self) -> impl Iterator<Item = &OnGrid> {
        let line = self.calibration.iter().flat_map(|line| {
            [
                &line.intercept,
                &line.se_intercept,
                &line.slope,
                &line.se_slope,
                &line.citl,
                &line.se_citl,
            ]
        });
        let means = [&self.brier, &self.mean_probability, &self.ece];
        self.auroc.iter().chain(means).chain(line)
    }

    fn check(&self) -> Result<(), ContradictoryPerformance> {
        for number in self.all() {
            let on_grid = number.grid_micro > 0
                && number.value_micro.unsigned_abs().is_multiple_of(number.grid_micro);
            holds(on_grid, "a number stands on its grid")?;
        }
        let means = [self.brier, self.mean_probability, self.ece];
        let within = |share: &OnGrid| (0..=1_000_000).contains(&share.value_micro);
        holds(self.auroc.iter().chain(&means).all(within), "shares lie between 0 and 1")?;
        let errors = self.calibration.iter().flat_map(|l| [l.se_intercept, l.se_slope, l.se_citl]);
        holds(errors.into_iter().all(|e| e.value_micro >= 0), "standard errors are not negative")
    }
}
