//! What a site says about a model on one group of patients: integers only.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::{
    CalibrationFit, ClusterRankSums, ClusterSums, Inconsistent, ProbabilitySums, RankSums, TwoByTwo,
};
use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;
use crate::form::{
    self, CalibrationFitForm, ClusterRankSumsForm, ClusterSumsForm, ProbabilitySumsForm,
    RankSumsForm, TwoByTwoForm,
};
use crate::id::Name;

/// A probability is at most 1 away from an outcome: 1 in units of 10⁻¹².
const LARGEST_SQUARED_ERROR: u64 = 1_000_000_000_000;

/// Distinct patients of a group: the denominators every disclosure rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatientCounts {
    /// Distinct patients.
    #[serde(serialize_with = "exact_u64")]
    pub total: u64,
    /// Patients with at least one case that has not the target condition.
    #[serde(serialize_with = "exact_u64")]
    pub with_negative: u64,
    /// Patients with at least one case that has.
    #[serde(serialize_with = "exact_u64")]
    pub with_positive: u64,
}

/// Response counts at one locked operating point, in units of analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPointCounts {
    /// The contingency table.
    #[serde(
        serialize_with = "form::write::<_, TwoByTwoForm, _>",
        deserialize_with = "form::read::<_, TwoByTwoForm, _>"
    )]
    pub counts: TwoByTwo,
    /// The operating point's name in the protocol.
    pub name: Name,
    /// Positives called positive, summed by patient; present where a patient has several cases.
    #[serde(
        serialize_with = "form::write_optional::<_, ClusterSumsForm, _>",
        deserialize_with = "form::read_optional::<_, ClusterSumsForm, _>"
    )]
    pub sensitivity_clusters: Option<Box<ClusterSums>>,
    /// Negatives called negative, summed by patient; present where a patient has several cases.
    #[serde(
        serialize_with = "form::write_optional::<_, ClusterSumsForm, _>",
        deserialize_with = "form::read_optional::<_, ClusterSumsForm, _>"
    )]
    pub specificity_clusters: Option<Box<ClusterSums>>,
}

/// The logistic recalibration fitted on site, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationOutcome {
    /// Coefficients in fixed point 10⁻⁶.
    Fit(
        #[serde(
            serialize_with = "form::write::<_, CalibrationFitForm, _>",
            deserialize_with = "form::read::<_, CalibrationFitForm, _>"
        )]
        CalibrationFit,
    ),
    /// The reason.
    NotEstimable(
        #[serde(serialize_with = "write_reason", deserialize_with = "read_reason")] NotEstimable,
    ),
}

/// The aggregates of one group of patients.
///
/// A consortium's results are a hundred thousand of these. Fields are declared in the order in which they are
/// written, so that nothing is moved for it; what is seldom there takes the room of a pointer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Performance {
    /// Squared errors summed by patient, in 10⁻¹²: the Brier score's standard error.
    #[serde(
        serialize_with = "form::write::<_, ClusterSumsForm, _>",
        deserialize_with = "form::read::<_, ClusterSumsForm, _>"
    )]
    pub brier_clusters: ClusterSums,
    /// Logistic recalibration.
    pub calibration: CalibrationOutcome,
    /// Expected calibration error over the protocol's bins, in 10⁻⁶.
    #[serde(serialize_with = "exact_u64")]
    pub ece_micro: u64,
    /// Events summed by patient; present where a patient has several cases.
    #[serde(
        serialize_with = "form::write_optional::<_, ClusterSumsForm, _>",
        deserialize_with = "form::read_optional::<_, ClusterSumsForm, _>"
    )]
    pub event_clusters: Option<Box<ClusterSums>>,
    /// One entry for each operating point of the protocol, in its order.
    #[serde(deserialize_with = "form::read_tight")]
    pub operating_points: Vec<OperatingPointCounts>,
    /// Distinct patients.
    pub patients: PatientCounts,
    /// Sums of probabilities and squared errors.
    #[serde(
        serialize_with = "form::write::<_, ProbabilitySumsForm, _>",
        deserialize_with = "form::read::<_, ProbabilitySumsForm, _>"
    )]
    pub probabilities: ProbabilitySums,
    /// Doubled placements by patient (Obuchowski); present where a patient has several cases.
    #[serde(
        serialize_with = "form::write_optional::<_, ClusterRankSumsForm, _>",
        deserialize_with = "form::read_optional::<_, ClusterRankSumsForm, _>"
    )]
    pub rank_clusters: Option<Box<ClusterRankSums>>,
    /// Sums of doubled placements (DeLong), in units of analysis.
    #[serde(
        serialize_with = "form::write::<_, RankSumsForm, _>",
        deserialize_with = "form::read::<_, RankSumsForm, _>"
    )]
    pub ranks: RankSums,
}

impl Performance {
    /// Whether sums by patient are here, so that standard errors allow for repeated cases.
    #[must_use]
    pub const fn is_clustered(&self) -> bool {
        self.rank_clusters.is_some()
    }

    /// The consistency that can be tested without the data: counts add up, sums keep their bounds.
    ///
    /// # Errors
    ///
    /// [`ContradictoryPerformance`] names the relation that does not hold.
    pub fn check(&self) -> Result<(), ContradictoryPerformance> {
        let (n_pos, n_neg) = (self.ranks.n_pos, self.ranks.n_neg);
        let cases = n_pos.checked_add(n_neg);
        keeps_bounds(self.ranks.check())?;
        keeps_bounds(self.probabilities.check())?;
        holds(cases == Some(self.probabilities.n), "cases are positive or negative")?;
        holds(self.probabilities.events == n_pos, "events are the positive cases")?;
        self.check_patients(self.probabilities.n)?;
        let brier = &self.brier_clusters;
        keeps_bounds(brier.check_bounded(LARGEST_SQUARED_ERROR))?;
        holds(Some(brier.size) == cases, "squared errors cover all cases")?;
        holds(
            brier.total == self.probabilities.brier_pico,
            "squared errors by patient sum to all squared errors",
        )?;
        holds(self.ece_micro <= 1_000_000, "a calibration error is at most 1")?;
        if let CalibrationOutcome::Fit(fit) = &self.calibration {
            keeps_bounds(fit.check())?;
        }
        self.operating_points.iter().try_for_each(|point| point.check(self))
    }

    fn check_patients(&self, cases: u64) -> Result<(), ContradictoryPerformance> {
        let PatientCounts { total, with_positive, with_negative } = self.patients;
        holds(with_positive <= self.ranks.n_pos, "a patient with positives has one")?;
        holds(with_negative <= self.ranks.n_neg, "a patient with negatives has one")?;
        holds(with_positive.max(with_negative) <= total, "patients of a label are patients")?;
        holds(total <= with_positive.saturating_add(with_negative), "every patient has a label")?;
        holds(total <= cases, "every patient has a case")?;
        // Where too few patients repeat for sums by patient to be shown, cases stand for themselves.
        let clustered = self.is_clustered();
        holds(!clustered || total < cases, "sums by patient exist only where patients repeat")?;
        let summed_by = if clustered { total } else { cases };
        holds(self.brier_clusters.clusters == summed_by, "squared errors are summed by patient")?;
        let agree = self.event_clusters.is_some() == clustered;
        holds(agree, "sums by patient exist for all quantities or for none")?;
        if let Some(events) = &self.event_clusters {
            keeps_bounds(events.check_bounded(1))?;
            holds(events.clusters == total, "events are summed by patient")?;
            holds(events.total == u128::from(self.ranks.n_pos), "events sum to all events")?;
            holds(events.size == cases, "cases by patient sum to all cases")?;
        }
        let Some(ranks) = &self.rank_clusters else { return Ok(()) };
        keeps_bounds(ranks.check_against(&self.ranks))?;
        holds(
            (ranks.clusters, ranks.clusters_pos, ranks.clusters_neg)
                == (total, with_positive, with_negative),
            "ranks are summed by patient",
        )
    }
}

impl OperatingPointCounts {
    fn check(&self, whole: &Performance) -> Result<(), ContradictoryPerformance> {
        let RankSums { n_pos, n_neg, .. } = whole.ranks;
        let TwoByTwo { tp, fn_, fp, tn } = self.counts;
        holds(tp.checked_add(fn_) == Some(n_pos), "TP and FN are the positives")?;
        holds(fp.checked_add(tn) == Some(n_neg), "FP and TN are the negatives")?;
        let PatientCounts { with_positive, with_negative, .. } = whole.patients;
        for (clusters, total, size, patients) in [
            (&self.sensitivity_clusters, tp, n_pos, with_positive),
            (&self.specificity_clusters, tn, n_neg, with_negative),
        ] {
            let exist = clusters.is_some() == whole.is_clustered();
            holds(exist, "sums by patient exist for all quantities or for none")?;
            let Some(clusters) = clusters else { continue };
            keeps_bounds(clusters.check_bounded(1))?;
            holds(clusters.clusters == patients, "responses are summed by patient")?;
            holds(clusters.total == u128::from(total), "responses by patient sum to all")?;
            holds(clusters.size == size, "cases by patient sum to all cases")?;
        }
        Ok(())
    }
}

pub(crate) fn holds(
    condition: bool,
    relation: &'static str,
) -> Result<(), ContradictoryPerformance> {
    if condition { Ok(()) } else { Err(ContradictoryPerformance { relation }) }
}

pub(crate) fn keeps_bounds(
    check: Result<(), Inconsistent>,
) -> Result<(), ContradictoryPerformance> {
    holds(check.is_ok(), "sums keep their bounds")
}

/// Aggregates that no data can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the aggregates break a relation that all data keep: {relation}")]
pub struct ContradictoryPerformance {
    /// The relation, as it should be.
    pub relation: &'static str,
}

fn write_reason<S: serde::Serializer>(reason: &NotEstimable, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(reason.code())
}

fn read_reason<'de, D: serde::Deserializer<'de>>(d: D) -> Result<NotEstimable, D::Error> {
    let code = String::deserialize(d)?;
    NotEstimable::from_code(&code).ok_or_else(|| serde::de::Error::custom("unknown reason"))
}
