//! What a site says of findings with a place, and the evidence that it is made of.

use fedval_stats::detection::CountsAtScores;
use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;
use crate::id::Name;
use crate::performance::{ContradictoryPerformance, PatientCounts, holds};
use crate::protocol::DetectionPlan;
use crate::result::{Cell, exact_cell};
use crate::two_figures;

/// More scans are no cohort.
const MOST_SCANS: u64 = 1 << 40;

/// Fewer scores than this draw no curve: nothing is read off it, and no area is below it.
pub const LEAST_SCORES: usize = 3;

/// One scan at every edge of the grid: exact, and never sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanCounts {
    /// Lesions that count.
    pub lesions: u16,
    /// For each edge, lesions with a finding whose score is at least the edge's.
    pub hits: Vec<u16>,
    /// For each edge, findings in no lesion whose score is at least the edge's.
    pub false_positives: Vec<u16>,
}

/// The evidence of a study of findings: one entry for each of the members' cases, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DetectionFindings {
    /// Scans that were read by the reference standard and by the model.
    pub scans: Vec<ScanCounts>,
}

/// The aggregates of one group of patients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionPerformance {
    /// What is told of the average precision beside the counts that it follows from; of the whole cohort alone, and absent
    /// where too few patients bear it or there is no curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_precision: Option<AveragePrecision>,
    /// Counts at further edges of the grid, from the highest score down; of the whole cohort alone, and only those that
    /// lie so far apart that each step is about many patients.
    pub curve: Vec<CurvePoint>,
    /// Lesions.
    #[serde(serialize_with = "exact_u64")]
    pub lesions: u64,
    /// Distinct patients, and those with a scan that has lesions or has none.
    pub patients: PatientCounts,
    /// Counts at the locked cut-off.
    pub point: PointCounts,
    /// Scans with a lesion.
    #[serde(serialize_with = "exact_u64")]
    pub scans_with: u64,
    /// Scans without.
    #[serde(serialize_with = "exact_u64")]
    pub scans_without: u64,
}

/// The average precision over the scores that are shown: it follows from their counts, its error does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AveragePrecision {
    /// Its standard error between patients in 10⁻⁶, to two figures.
    #[serde(serialize_with = "exact_u64")]
    pub se_micro: u64,
}

/// Counts at one edge of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// The edge.
    pub edge: u32,
    /// Findings in no lesion.
    #[serde(serialize_with = "exact_u64")]
    pub false_positives: u64,
    /// Lesions that were found.
    #[serde(serialize_with = "exact_u64")]
    pub hits: u64,
}

/// Counts at the locked cut-off, with errors between patients to two figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointCounts {
    /// Findings in no lesion; suppressed where they are mostly those of one or two patients.
    #[serde(serialize_with = "exact_cell")]
    pub false_positives: Cell<u64>,
    /// Lesions that were found.
    #[serde(serialize_with = "exact_u64")]
    pub hits: u64,
    /// The cut-off's name in the protocol.
    pub name: Name,
    /// Standard error of false positives a scan, in 10⁻⁶; suppressed where too few patients bear it.
    #[serde(serialize_with = "exact_cell")]
    pub rate_se_micro: Cell<u64>,
    /// Standard error of the share of lesions found, in 10⁻⁶; suppressed where too few patients bear it.
    #[serde(serialize_with = "exact_cell")]
    pub sensitivity_se_micro: Cell<u64>,
}

impl DetectionPerformance {
    /// All scans.
    #[must_use]
    pub const fn scans(&self) -> u64 {
        self.scans_with.saturating_add(self.scans_without)
    }

    /// Every edge of which counts are known, from the highest score down, the cut-off among them unless its false
    /// positives stayed.
    #[must_use]
    pub fn known(&self, plan: &DetectionPlan) -> Vec<CurvePoint> {
        let mut known = self.curve.clone();
        if let Cell::Released(false_positives) = self.point.false_positives {
            let point =
                CurvePoint { edge: plan.point.edge, false_positives, hits: self.point.hits };
            let place = known.partition_point(|other| other.edge > point.edge);
            known.insert(place, point);
        }
        known
    }

    /// Counts at every score that is known, in the form that the average precision over them takes.
    #[must_use]
    pub fn at_scores(&self, plan: &DetectionPlan) -> CountsAtScores {
        let known = self.known(plan);
        let at = known.iter().map(|point| (point.hits, point.false_positives));
        CountsAtScores { lesions: self.lesions, at: at.collect() }
    }

    /// The consistency that can be tested without the data.
    ///
    /// # Errors
    ///
    /// [`ContradictoryPerformance`] names the relation that does not hold.
    pub fn check(&self, plan: &DetectionPlan) -> Result<(), ContradictoryPerformance> {
        let PatientCounts { total, with_positive, with_negative } = self.patients;
        holds(
            self.scans_with <= MOST_SCANS && self.scans_without <= MOST_SCANS,
            "scans are no more than a cohort has",
        )?;
        let bears = |patients: u64, scans: u64| patients <= scans && (patients > 0) == (scans > 0);
        holds(
            bears(with_positive, self.scans_with) && bears(with_negative, self.scans_without),
            "every scan is of a patient",
        )?;
        holds(
            total <= with_positive + with_negative && total >= with_positive.max(with_negative),
            "every patient has a scan",
        )?;
        let most = with_positive.saturating_mul(plan.most_lesions.into());
        holds(
            self.lesions >= self.scans_with && self.lesions <= most,
            "lesions are those of patients who have some, and no more than are counted of each",
        )?;
        self.point.check()?;
        holds(self.rate_errs_within_bounds(), "a rate errs by no more than twice itself")?;
        self.check_average_precision(plan)?;
        self.check_curve(plan)
    }

    fn check_average_precision(
        &self,
        plan: &DetectionPlan,
    ) -> Result<(), ContradictoryPerformance> {
        let Some(of) = self.average_precision else { return Ok(()) };
        holds(
            !self.curve.is_empty() && self.known(plan).len() >= LEAST_SCORES,
            "the error of an area stands beside a curve",
        )?;
        holds(two_figures::are_all(of.se_micro), "an error has two figures")?;
        holds(of.se_micro <= 1_000_000, "a share errs by no more than 1")?;
        let is_at_an_end = |area: f64| area <= 0.0 || area >= 1.0;
        let area = self.at_scores(plan).average_precision();
        holds(
            area.map_or(true, |area| (of.se_micro == 0) == is_at_an_end(area)),
            "an error is nothing where its area leaves no other",
        )
    }

    /// Residuals between patients add up to nothing, so the root of their squares is at most √2 times all false
    /// positives, and the correction for few patients at most √2 as well: an error is at most twice its rate. Half
    /// again as much, and 10⁻⁶, leave room for two figures.
    fn rate_errs_within_bounds(&self) -> bool {
        let (Cell::Released(se), Cell::Released(count)) =
            (self.point.rate_se_micro, self.point.false_positives)
        else {
            return true;
        };
        let scans = u128::from(self.scans());
        u128::from(se) * scans <= 3_000_000 * u128::from(count) + scans
    }

    /// Counts grow with every lower score, up to all there is.
    fn check_curve(&self, plan: &DetectionPlan) -> Result<(), ContradictoryPerformance> {
        let is_shown = self.point.false_positives.released().is_some();
        holds(is_shown || self.curve.is_empty(), "a curve stands beside its cut-off")?;
        let all = self.scans().saturating_mul(plan.most_candidates.into());
        holds(self.point.hits <= self.lesions, "no more lesions are found than there are")?;
        let known = self.known(plan);
        for point in &known {
            holds(point.edge < plan.bins, "a curve stands on the protocol's grid")?;
            holds(
                point.hits <= self.lesions && point.false_positives <= all,
                "no more is found than counts",
            )?;
        }
        holds(
            known.windows(2).all(|pair| {
                pair[0].edge > pair[1].edge
                    && pair[0].hits <= pair[1].hits
                    && pair[0].false_positives <= pair[1].false_positives
            }),
            "lower scores hold what higher ones hold",
        )
    }
}

impl PointCounts {
    fn check(&self) -> Result<(), ContradictoryPerformance> {
        let errors = [self.rate_se_micro, self.sensitivity_se_micro];
        let are_short =
            |cell: &Cell<u64>| cell.released().is_none_or(|se| two_figures::are_all(*se));
        holds(errors.iter().all(are_short), "an error has two figures")?;
        holds(
            self.sensitivity_se_micro.released().is_none_or(|se| *se <= 1_000_000),
            "a share errs by no more than 1",
        )?;
        let is_alone =
            self.false_positives.released().is_none() && self.rate_se_micro.released().is_some();
        holds(!is_alone, "an error stands beside its count")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canonical;
    use crate::protocol::{DetectionPoint, Matching};

    fn plan() -> DetectionPlan {
        DetectionPlan {
            bins: 10,
            matching: Matching::CentreInRadius,
            most_candidates: 20,
            most_lesions: 10,
            point: DetectionPoint { edge: 5, name: "call".parse().unwrap() },
        }
    }

    fn performance() -> DetectionPerformance {
        let curve = |edge, hits, false_positives| CurvePoint { edge, false_positives, hits };
        DetectionPerformance {
            average_precision: Some(AveragePrecision { se_micro: 41_000 }),
            curve: vec![curve(8, 30, 10), curve(2, 70, 200)],
            lesions: 80,
            patients: PatientCounts { total: 60, with_negative: 30, with_positive: 35 },
            point: PointCounts {
                false_positives: Cell::Released(40),
                hits: 55,
                name: "call".parse().unwrap(),
                rate_se_micro: Cell::Released(110_000),
                sensitivity_se_micro: Cell::Released(48_000),
            },
            scans_with: 50,
            scans_without: 40,
        }
    }

    #[test]
    fn counts_survive_their_form_and_the_cut_off_stands_in_its_place() {
        let found = performance();
        assert_eq!(found.check(&plan()), Ok(()));
        let canonical = Canonical::new(found.clone()).unwrap();
        let read: Canonical<DetectionPerformance> = Canonical::parse(canonical.bytes()).unwrap();
        assert_eq!(read.value(), &found);
        let known: Vec<_> = found.known(&plan()).iter().map(|p| (p.edge, p.hits)).collect();
        assert_eq!(known, [(8, 30), (5, 55), (2, 70)]);
        let at_scores = found.at_scores(&plan());
        assert_eq!((at_scores.lesions, at_scores.at), (80, vec![(30, 10), (55, 40), (70, 200)]));
        // What earlier agents send has no such key.
        let without = DetectionPerformance { average_precision: None, ..found };
        let text = String::from_utf8(Canonical::new(without).unwrap().into_bytes()).unwrap();
        assert!(text.starts_with(r#"{"curve":"#), "{text}");
    }

    #[test]
    fn what_no_cohort_has_is_refused() {
        let wrong: [fn(&mut DetectionPerformance); 21] = [
            |p| p.lesions = 49,
            |p| p.lesions = 351,
            |p| p.scans_with = 34,
            |p| p.scans_without = 0,
            |p| p.scans_without = u64::MAX,
            |p| p.patients.total = 66,
            |p| p.patients.total = 34,
            |p| p.point.hits = 81,
            |p| p.point.hits = 29,
            |p| p.point.false_positives = Cell::Released(1_801),
            |p| p.point.false_positives = Cell::Suppressed,
            |p| p.point.rate_se_micro = Cell::Released(111_000),
            // 40 of 90 scans: 1.4 would be more than three times the rate.
            |p| p.point.rate_se_micro = Cell::Released(1_400_000),
            |p| p.point.rate_se_micro = Cell::Released(9_000_000_000_000_000),
            |p| p.point.sensitivity_se_micro = Cell::Released(1_100_000),
            |p| p.curve.swap(0, 1),
            |p| p.curve[0].edge = 10,
            |p| p.average_precision = Some(AveragePrecision { se_micro: 41_100 }),
            |p| p.average_precision = Some(AveragePrecision { se_micro: 1_100_000 }),
            // Two scores draw no curve, and the cut-off alone is none.
            |p| p.curve.truncate(1),
            |p| p.curve.clear(),
        ];
        for (place, wrong) in wrong.into_iter().enumerate() {
            let mut found = performance();
            wrong(&mut found);
            assert!(found.check(&plan()).is_err(), "{place}");
        }
        // 1.3 is not, and may be rounded.
        let mut unsure = performance();
        unsure.point.rate_se_micro = Cell::Released(1_300_000);
        assert_eq!(unsure.check(&plan()), Ok(()));
        let mut silent = performance();
        silent.average_precision = None;
        silent.curve.clear();
        silent.point.false_positives = Cell::Suppressed;
        silent.point.rate_se_micro = Cell::Suppressed;
        assert_eq!(silent.check(&plan()), Ok(()));
    }
}
