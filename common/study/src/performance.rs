//! What a site says about a model on one group of patients: integers only.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::{
    CalibrationFit, ClusterRankSums, ClusterSums, ProbabilitySums, RankSums, TwoByTwo,
};
use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;
use crate::form::{
    self, CalibrationFitForm, ClusterRankSumsForm, ClusterSumsForm, ProbabilitySumsForm,
    RankSumsForm, TwoByTwoForm,
};
use crate::id::Name;

/// Distinct patients of a group: the denominators every disclosure rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatientCounts {
    /// Distinct patients.
    #[serde(serialize_with = "exact_u64")]
    pub total: u64,
    /// Patients with at least one case that has the target condition.
    #[serde(serialize_with = "exact_u64")]
    pub with_positive: u64,
    /// Patients with at least one case that has not.
    #[serde(serialize_with = "exact_u64")]
    pub with_negative: u64,
}

/// Response counts at one locked operating point, in units of analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPointCounts {
    /// The operating point's name in the protocol.
    pub name: Name,
    /// The contingency table.
    #[serde(
        serialize_with = "form::write::<_, TwoByTwoForm, _>",
        deserialize_with = "form::read::<_, TwoByTwoForm, _>"
    )]
    pub counts: TwoByTwo,
    /// Positives called positive, summed by patient; present where a patient has several cases.
    #[serde(
        serialize_with = "form::write_optional::<_, ClusterSumsForm, _>",
        deserialize_with = "form::read_optional::<_, ClusterSumsForm, _>"
    )]
    pub sensitivity_clusters: Option<ClusterSums>,
    /// Negatives called negative, summed by patient; present where a patient has several cases.
    #[serde(
        serialize_with = "form::write_optional::<_, ClusterSumsForm, _>",
        deserialize_with = "form::read_optional::<_, ClusterSumsForm, _>"
    )]
    pub specificity_clusters: Option<ClusterSums>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Performance {
    /// Distinct patients.
    pub patients: PatientCounts,
    /// Sums of doubled placements (DeLong), in units of analysis.
    #[serde(
        serialize_with = "form::write::<_, RankSumsForm, _>",
        deserialize_with = "form::read::<_, RankSumsForm, _>"
    )]
    pub ranks: RankSums,
    /// The same by patient (Obuchowski); present where a patient has several cases.
    #[serde(
        serialize_with = "form::write_optional::<_, ClusterRankSumsForm, _>",
        deserialize_with = "form::read_optional::<_, ClusterRankSumsForm, _>"
    )]
    pub rank_clusters: Option<ClusterRankSums>,
    /// One entry for each operating point of the protocol, in its order.
    pub operating_points: Vec<OperatingPointCounts>,
    /// Sums of probabilities and squared errors.
    #[serde(
        serialize_with = "form::write::<_, ProbabilitySumsForm, _>",
        deserialize_with = "form::read::<_, ProbabilitySumsForm, _>"
    )]
    pub probabilities: ProbabilitySums,
    /// Squared errors summed by patient, in 10⁻¹²: the Brier score's standard error.
    #[serde(
        serialize_with = "form::write::<_, ClusterSumsForm, _>",
        deserialize_with = "form::read::<_, ClusterSumsForm, _>"
    )]
    pub brier_clusters: ClusterSums,
    /// Events summed by patient; present where a patient has several cases.
    #[serde(
        serialize_with = "form::write_optional::<_, ClusterSumsForm, _>",
        deserialize_with = "form::read_optional::<_, ClusterSumsForm, _>"
    )]
    pub event_clusters: Option<ClusterSums>,
    /// Logistic recalibration.
    pub calibration: CalibrationOutcome,
    /// Expected calibration error over the protocol's bins, in 10⁻⁶.
    #[serde(serialize_with = "exact_u64")]
    pub ece_micro: u64,
}

impl Performance {
    /// Whether some patient has several cases, so that cases are not independent.
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
        let holds = |condition: bool, relation| {
            if condition { Ok(()) } else { Err(ContradictoryPerformance { relation }) }
        };
        let sums = |sums: Result<(), _>| holds(sums.is_ok(), "sums keep their bounds");
        let (n_pos, n_neg) = (self.ranks.n_pos, self.ranks.n_neg);
        sums(self.ranks.check().map_err(|_| ()))?;
        sums(self.probabilities.check().map_err(|_| ()))?;
        sums(self.brier_clusters.check().map_err(|_| ()))?;
        if let Some(clusters) = &self.event_clusters {
            sums(clusters.check().map_err(|_| ()))?;
            holds(clusters.total == u128::from(n_pos), "events by patient sum to all events")?;
            holds(clusters.size == n_pos + n_neg, "cases by patient sum to all cases")?;
        }
        self.check_patients(&holds)?;
        holds(self.probabilities.n == n_pos + n_neg, "cases are positive or negative")?;
        holds(self.probabilities.events == n_pos, "events are the positive cases")?;
        holds(self.brier_clusters.size == n_pos + n_neg, "squared errors cover all cases")?;
        holds(
            self.brier_clusters.total == self.probabilities.brier_pico,
            "squared errors by patient sum to all squared errors",
        )?;
        holds(self.ece_micro <= 1_000_000, "a calibration error is at most 1")?;
        if let CalibrationOutcome::Fit(fit) = &self.calibration {
            sums(fit.check().map_err(|_| ()))?;
        }
        self.operating_points.iter().try_for_each(|point| point.check(n_pos, n_neg))
    }

    fn check_patients(
        &self,
        holds: &impl Fn(bool, &'static str) -> Result<(), ContradictoryPerformance>,
    ) -> Result<(), ContradictoryPerformance> {
        let PatientCounts { total, with_positive, with_negative } = self.patients;
        holds(with_positive <= self.ranks.n_pos, "a patient with positives has one")?;
        holds(with_negative <= self.ranks.n_neg, "a patient with negatives has one")?;
        holds(with_positive.max(with_negative) <= total, "patients of a label are patients")?;
        holds(total <= with_positive + with_negative, "every patient has a label")?;
        let clustered = total < self.ranks.n_pos + self.ranks.n_neg;
        holds(clustered == self.is_clustered(), "sums by patient exist where patients repeat")?;
        holds(
            clustered == self.event_clusters.is_some(),
            "sums by patient exist where patients repeat",
        )?;
        holds(self.brier_clusters.clusters == total, "squared errors are summed by patient")?;
        let Some(ranks) = &self.rank_clusters else { return Ok(()) };
        holds(ranks.check().is_ok(), "sums keep their bounds")?;
        holds(
            (ranks.clusters, ranks.clusters_pos, ranks.clusters_neg)
                == (total, with_positive, with_negative),
            "ranks are summed by patient",
        )
    }
}

impl OperatingPointCounts {
    fn check(&self, n_pos: u64, n_neg: u64) -> Result<(), ContradictoryPerformance> {
        let holds = |condition: bool, relation| {
            if condition { Ok(()) } else { Err(ContradictoryPerformance { relation }) }
        };
        let TwoByTwo { tp, fn_, fp, tn } = self.counts;
        holds(tp.checked_add(fn_) == Some(n_pos), "TP and FN are the positives")?;
        holds(fp.checked_add(tn) == Some(n_neg), "FP and TN are the negatives")?;
        for (clusters, total, size) in
            [(&self.sensitivity_clusters, tp, n_pos), (&self.specificity_clusters, tn, n_neg)]
        {
            let Some(clusters) = clusters else { continue };
            holds(clusters.check().is_ok(), "sums keep their bounds")?;
            holds(
                clusters.total == u128::from(total),
                "responses by patient sum to all responses",
            )?;
            holds(clusters.size == size, "cases by patient sum to all cases")?;
        }
        Ok(())
    }
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
