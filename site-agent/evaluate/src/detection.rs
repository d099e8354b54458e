//! Findings with a place, matched scan by scan: the evidence that the gate makes aggregates of.

use std::collections::{BTreeMap, BTreeSet};

use fedval_disclosure::SiteLocal;
use fedval_ingest::findings::Place;
use fedval_ingest::{Case, CaseFindings, Cohort, IndexTest, PredictedFinding, ScanStatus};
use fedval_stats::NotEstimable;
use fedval_stats::detection::{
    BoundingBox, Candidate, Detection, Lesion, ReferenceBox, ScanFindings, match_boxes, match_scan,
};
use fedval_study::detection::{DetectionFindings, ScanCounts};
use fedval_study::members::Member;
use fedval_study::protocol::{DetectionPlan, StudyProtocol};
use fedval_study::summary::{FailureReason, Findings};
use fedval_study::{Members, Sha256Digest, SiteSummary};

use crate::cells::Cells;
use crate::members::Keys;
use crate::{attributes, commitment};

/// A scan, in the order of the cohort.
pub(crate) struct Scan {
    /// What either side found; nothing of a scan that failed counts.
    pub(crate) findings: CaseFindings,
    /// Why it is not counted.
    pub(crate) failure: Option<FailureReason>,
    /// Attributes by DICOM keyword.
    pub(crate) header: BTreeMap<String, String>,
    /// What the commitment names.
    pub(crate) digest: Option<Sha256Digest>,
}

impl Scan {
    /// One whose findings were brought.
    pub(crate) fn brought(protocol: &StudyProtocol, case: &Case, findings: CaseFindings) -> Self {
        Self {
            failure: failure(case),
            header: attributes::brought(protocol, case),
            digest: Some(digest(&findings)),
            findings,
        }
    }
}

/// Counts every scan that was read by both sides, but those with reference findings of which none counts.
///
/// # Errors
///
/// [`NotEstimable`] where findings are not what reading lets through.
pub(crate) fn summarise(
    protocol: &StudyProtocol,
    plan: &DetectionPlan,
    cohort: &Cohort,
    scans: &[Scan],
    secret: &[u8; 32],
) -> Result<SiteLocal<SiteSummary>, NotEstimable> {
    let mut counted = Counted::new(protocol, plan, secret);
    let mut failures: BTreeMap<u32, BTreeSet<FailureReason>> = BTreeMap::new();
    for (case, scan) in cohort.cases().zip(scans) {
        match scan.failure {
            Some(reason) => {
                failures.entry(case.patient).or_default().insert(reason);
            }
            None => counted.take(cohort, &case, scan)?,
        }
    }
    let digests: Vec<_> = scans.iter().map(|scan| scan.digest).collect();
    Ok(SiteLocal::new(SiteSummary {
        cohort: commitment::commit(cohort, &digests, secret),
        failures: failures.into_values().collect(),
        findings: Findings::Detection(DetectionFindings { scans: counted.scans }),
        members: counted.members,
    }))
}

/// Why a scan is not counted.
pub(crate) const fn failure(case: &Case) -> Option<FailureReason> {
    match case.index_test {
        IndexTest::Findings(ScanStatus::Read) => None,
        IndexTest::Findings(ScanStatus::NoReference) => Some(FailureReason::NoReference),
        _ => Some(FailureReason::InvalidOutput),
    }
}

/// Scans with whose they are.
struct Counted<'e> {
    protocol: &'e StudyProtocol,
    plan: &'e DetectionPlan,
    keys: Keys<'e>,
    cells: Cells,
    /// Place among the members of each patient who is one.
    patients: BTreeMap<u32, u32>,
    /// Lesions so far of each patient.
    lesions: BTreeMap<u32, u32>,
    scans: Vec<ScanCounts>,
    members: Members,
}

impl<'e> Counted<'e> {
    fn new(protocol: &'e StudyProtocol, plan: &'e DetectionPlan, secret: &'e [u8; 32]) -> Self {
        Self {
            protocol,
            plan,
            keys: Keys::of(secret),
            cells: Cells::of(protocol),
            patients: BTreeMap::new(),
            lesions: BTreeMap::new(),
            scans: Vec::new(),
            members: Members::default(),
        }
    }

    /// Counts a scan. One with reference findings of which none counts is left out: it has lesions, so it is not of those
    /// without, and nothing of it could be found.
    fn take(&mut self, cohort: &Cohort, case: &Case, scan: &Scan) -> Result<(), NotEstimable> {
        let findings = &scan.findings;
        let lesions = self.lesions.entry(case.patient).or_default();
        let counts = counts(self.plan, findings, lesions)?;
        if counts.lesions == 0 && !findings.reference.is_empty() {
            return Ok(());
        }
        let id = cohort.patient_id(case.patient).unwrap_or_default();
        let next = u32::try_from(self.members.patients.len()).unwrap_or(u32::MAX);
        let patient = *self.patients.entry(case.patient).or_insert(next);
        if patient == next {
            self.members.patients.push(self.keys.patient(id));
        }
        let categories = attributes::categories(self.protocol, case, &scan.header);
        self.members.cases.push(Member {
            patient,
            case: self.keys.case(id, &case.case_id),
            positive: counts.lesions > 0,
            cells: self.cells.with(&categories).into(),
        });
        self.scans.push(counts);
        Ok(())
    }
}

/// What one scan holds at each edge. `lesions` are those of its patient that were counted before: beyond the protocol's
/// most they are excluded, so that nobody's are most of a cohort's and no choice hangs on what was found.
fn counts(
    plan: &DetectionPlan,
    findings: &CaseFindings,
    lesions: &mut u32,
) -> Result<ScanCounts, NotEstimable> {
    let mut is_excluded = Vec::with_capacity(findings.reference.len());
    let mut own = 0_u16;
    for reference in &findings.reference {
        let is_open = reference.excluded || *lesions >= plan.most_lesions;
        if !is_open {
            *lesions += 1;
            own = own.saturating_add(1);
        }
        is_excluded.push(is_open);
    }
    let found = matched(plan, findings, &is_excluded)?;
    let at_least = |scores: &[f64]| -> Vec<u16> {
        let count = |edge: u32| {
            let least = plan.threshold(edge);
            let count = scores.iter().filter(|score| **score >= least).count();
            u16::try_from(count).unwrap_or(u16::MAX)
        };
        plan.edges().map(count).collect()
    };
    Ok(ScanCounts {
        lesions: own,
        hits: at_least(&found.hits),
        false_positives: at_least(&found.false_positives),
    })
}

/// Findings against lesions, by the protocol's rule.
fn matched(
    plan: &DetectionPlan,
    findings: &CaseFindings,
    is_excluded: &[bool],
) -> Result<ScanFindings, NotEstimable> {
    let predicted = best(&findings.predicted, plan.most_candidates);
    let references = findings.reference.iter().zip(is_excluded);
    if let Some(least) = plan.matching.least_iou() {
        let references: Vec<ReferenceBox> = references
            .map(|(of, excluded)| Ok(ReferenceBox { place: area(of.place)?, excluded: *excluded }))
            .collect::<Result<_, NotEstimable>>()?;
        let detections: Vec<Detection> = predicted
            .into_iter()
            .map(|of| Ok(Detection { place: area(of.place)?, score: of.score }))
            .collect::<Result<_, NotEstimable>>()?;
        return match_boxes(&references, &detections, least);
    }
    let lesions: Vec<Lesion> = references
        .map(|(of, excluded)| {
            let diameter_mm = 2.0 * of.radius_mm;
            Ok(Lesion { centre: point(of.place)?, diameter_mm, excluded: *excluded })
        })
        .collect::<Result<_, NotEstimable>>()?;
    let candidates: Vec<Candidate> = predicted
        .into_iter()
        .map(|of| Ok(Candidate { place: point(of.place)?, probability: of.score }))
        .collect::<Result<_, NotEstimable>>()?;
    match_scan(&lesions, &candidates)
}

/// The findings with the highest scores; of equals those that stand first.
fn best(predicted: &[PredictedFinding], most: u32) -> Vec<PredictedFinding> {
    let mut best = predicted.to_vec();
    best.sort_by(|one, other| other.score.total_cmp(&one.score));
    best.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    best
}

const fn point(place: Place) -> Result<[f64; 3], NotEstimable> {
    match place {
        Place::Point(point) => Ok(point),
        Place::Box(_) => Err(NotEstimable::InvalidInput),
    }
}

const fn area(place: Place) -> Result<BoundingBox, NotEstimable> {
    match place {
        Place::Box([x0, y0, x1, y1]) => {
            Ok(BoundingBox { x: x0, y: y0, width: x1 - x0, height: y1 - y0 })
        }
        Place::Point(_) => Err(NotEstimable::InvalidInput),
    }
}

/// What the commitment names in the place of an image.
pub(crate) fn digest(findings: &CaseFindings) -> Sha256Digest {
    let numbers = |place: Place| match place {
        Place::Point(point) => point.map(f64::to_bits).to_vec(),
        Place::Box(edges) => edges.map(f64::to_bits).to_vec(),
    };
    let reference: Vec<_> = findings
        .reference
        .iter()
        .map(|of| (numbers(of.place), of.radius_mm.to_bits(), of.excluded))
        .collect();
    let predicted: Vec<_> =
        findings.predicted.iter().map(|of| (numbers(of.place), of.score.to_bits())).collect();
    Sha256Digest::of(format!("{:?}", (reference, predicted)).as_bytes())
}

#[cfg(test)]
mod tests {
    use fedval_ingest::ReferenceFinding;
    use fedval_study::protocol::{DetectionPoint, Matching};

    use super::*;

    fn plan(matching: Matching) -> DetectionPlan {
        DetectionPlan {
            bins: 10,
            matching,
            most_candidates: 3,
            most_lesions: 2,
            point: DetectionPoint { edge: 5, name: "call".parse().unwrap() },
        }
    }

    fn lesion(x: f64) -> ReferenceFinding {
        ReferenceFinding { place: Place::Point([x, 0.0, 0.0]), radius_mm: 2.0, excluded: false }
    }

    fn found(x: f64, score: f64) -> PredictedFinding {
        PredictedFinding { place: Place::Point([x, 0.0, 0.0]), score }
    }

    #[test]
    fn lesions_beyond_the_most_of_a_patient_count_neither_for_nor_against() {
        let findings = CaseFindings {
            reference: vec![lesion(0.0), lesion(10.0), lesion(20.0)],
            predicted: vec![found(0.5, 0.7), found(20.5, 0.9), found(40.0, 0.35)],
        };
        let mut before = 0;
        let counts =
            super::counts(&plan(Matching::CentreInRadius), &findings, &mut before).unwrap();
        assert_eq!((counts.lesions, before), (2, 2));
        // 0.7 is at or above 0, 0.1 … 0.7; what lies in the third lesion is ignored.
        assert_eq!(counts.hits, [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
        assert_eq!(counts.false_positives, [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
        // In the patient's next scan, no lesion counts any more.
        let counts =
            super::counts(&plan(Matching::CentreInRadius), &findings, &mut before).unwrap();
        assert_eq!((counts.lesions, counts.hits[0], before), (0, 0, 2));
    }

    #[test]
    fn of_many_findings_those_with_the_highest_scores_count() {
        let predicted = vec![found(0.0, 0.1), found(30.0, 0.6), found(40.0, 0.6), found(50.0, 0.6)];
        let findings = CaseFindings { reference: vec![lesion(0.0)], predicted };
        let counts = super::counts(&plan(Matching::CentreInRadius), &findings, &mut 0).unwrap();
        assert_eq!((counts.hits[0], counts.false_positives[0], counts.lesions), (0, 3, 1));
    }

    #[test]
    fn boxes_are_matched_by_their_overlap() {
        let square = |x: f64| Place::Box([x, 0.0, x + 4.0, 4.0]);
        let findings = CaseFindings {
            reference: vec![ReferenceFinding {
                place: square(0.0),
                radius_mm: 0.0,
                excluded: false,
            }],
            predicted: vec![
                PredictedFinding { place: square(2.0), score: 0.95 },
                PredictedFinding { place: square(1.0), score: 0.85 },
            ],
        };
        let counts = super::counts(&plan(Matching::Iou(500)), &findings, &mut 0).unwrap();
        // By one of four the second covers 12 of 20: enough; the first covers 8 of 24.
        assert_eq!((counts.hits[8], counts.hits[9]), (1, 0));
        assert_eq!((counts.false_positives[8], counts.false_positives[9]), (1, 1));
        assert!(super::counts(&plan(Matching::CentreInRadius), &findings, &mut 0).is_err());
    }
}
