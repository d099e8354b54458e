//! Counts of findings of one group: from scans to what may be shown of them.
//!
//! Lesions and hits of a group are sums over its patients with lesions, at least k of them, none of whom counts more than
//! the protocol's cap: two never hold nine tenths of the lesions (DC-10). Errors between patients have two figures, and
//! stand on k + 10 patients (DC-11): sums of squares would give away how many lesions single patients have. An error of
//! exactly nothing, which says of each patient what the counts say of all, stays unless the counts say it themselves.
//!
//! Of the average precision only the error leaves; the number follows from the counts at the scores that are shown, and
//! is made of them at the coordinator. On a grid that hides one patient it would be worth nothing: with c false
//! positives above all other findings a patient takes up to (c/N) ln(1 + N/c) of it, N being the lesions, which is a
//! third of its whole range for 20 such findings beside 100 lesions.

use std::collections::BTreeMap;

use fedval_stats::aggregate::{ClusterSums, cluster_sums};
use fedval_stats::detection::CountsAtScores;
use fedval_stats::proportion::{clustered, ratio_mean};
use fedval_study::detection::{
    AveragePrecision, CurvePoint, LEAST_SCORES, PointCounts, ScanCounts,
};
use fedval_study::members::Member;
use fedval_study::protocol::DetectionPlan;
use fedval_study::{Cell, DetectionPerformance, PatientCounts};

use crate::rules::dc08_detection::{self, PatientFindings};
use crate::rules::dc11_variance::{has_enough, two_figures};

/// A scan and whose it is.
pub(crate) type Scan<'e> = (&'e Member, &'e ScanCounts);

/// A group of scans.
pub(crate) struct Group<'e> {
    scans: Vec<Scan<'e>>,
    plan: &'e DetectionPlan,
}

impl<'e> Group<'e> {
    pub(crate) const fn new(scans: Vec<Scan<'e>>, plan: &'e DetectionPlan) -> Self {
        Self { scans, plan }
    }

    /// Distinct patients, and those with a scan of either label.
    pub(crate) fn patients(&self) -> PatientCounts {
        let mut seen: BTreeMap<u32, [bool; 2]> = BTreeMap::new();
        for (member, _) in &self.scans {
            seen.entry(member.patient).or_default()[usize::from(member.positive)] = true;
        }
        let of = |label: usize| count(seen.values().filter(|labels| labels[label]).count());
        PatientCounts { total: count(seen.len()), with_negative: of(0), with_positive: of(1) }
    }

    /// Whether false positives at the cut-off are mostly those of one or two patients.
    pub(crate) fn is_of_two(&self) -> bool {
        let mut by_patient: BTreeMap<u32, u64> = BTreeMap::new();
        for (member, scan) in &self.scans {
            *by_patient.entry(member.patient).or_default() +=
                at(&scan.false_positives, self.place());
        }
        dc08_detection::is_of_two(by_patient.into_values())
    }

    /// The aggregates. False positives leave only where `others_are_shown`, and a curve only `with_curve` as well.
    pub(crate) fn performance(
        &self,
        others_are_shown: bool,
        with_curve: bool,
        k: u64,
    ) -> DetectionPerformance {
        let patients = self.patients();
        let place = self.place();
        let sum = |of: &dyn Fn(&ScanCounts) -> u64| self.scans.iter().map(|(_, s)| of(s)).sum();
        let with = self.scans.iter().filter(|(member, _)| member.positive).count();
        let others: u64 = sum(&|scan| at(&scan.false_positives, place));
        let lesions: u64 = sum(&|scan| scan.lesions.into());
        let hits: u64 = sum(&|scan| at(&scan.hits, place));
        let shown = |is_shown: bool, value: u64| {
            if is_shown { Cell::Released(value) } else { Cell::Suppressed }
        };
        let sensitivity_se = error(clustered(&self.lesion_sums()).map(|found| found.se))
            .filter(|se| *se > 0 || hits == 0 || hits == lesions);
        let rate_se = error(ratio_mean(&self.scan_sums(), 1.0).map(|(_, se)| se))
            .filter(|se| *se > 0 || others == 0);
        let mut found = DetectionPerformance {
            average_precision: None,
            curve: if others_are_shown && with_curve { self.curve(k) } else { Vec::new() },
            lesions,
            patients,
            point: PointCounts {
                false_positives: shown(others_are_shown, others),
                hits,
                name: self.plan.point.name.clone(),
                rate_se_micro: shown(
                    others_are_shown && has_enough(patients.total, k) && rate_se.is_some(),
                    rate_se.unwrap_or(0),
                ),
                sensitivity_se_micro: shown(
                    has_enough(patients.with_positive, k) && sensitivity_se.is_some(),
                    sensitivity_se.unwrap_or(0),
                ),
            },
            scans_with: count(with),
            scans_without: count(self.scans.len() - with),
        };
        found.average_precision = self.average_precision(&found, k);
        found
    }

    /// The error of the average precision over the scores that are shown, where they are a curve. Patients with lesions
    /// bear it, and they are the fewer.
    fn average_precision(&self, found: &DetectionPerformance, k: u64) -> Option<AveragePrecision> {
        let known = found.known(self.plan);
        let is_curve = !found.curve.is_empty() && known.len() >= LEAST_SCORES;
        if !is_curve || !has_enough(found.patients.with_positive, k) {
            return None;
        }
        let places: Vec<usize> =
            known.iter().map(|point| usize::try_from(point.edge)).collect::<Result<_, _>>().ok()?;
        let mut by_patient: BTreeMap<u32, CountsAtScores> = BTreeMap::new();
        for (member, scan) in &self.scans {
            let own = by_patient
                .entry(member.patient)
                .or_insert_with(|| CountsAtScores { lesions: 0, at: vec![(0, 0); places.len()] });
            own.lesions += u64::from(scan.lesions);
            for (sum, place) in own.at.iter_mut().zip(&places) {
                sum.0 += at(&scan.hits, *place);
                sum.1 += at(&scan.false_positives, *place);
            }
        }
        let whole = found.at_scores(self.plan);
        let area = whole.average_precision().ok()?;
        let se_micro = error(whole.average_precision_error(by_patient.values()))?;
        let says_it_itself = area <= 0.0 || area >= 1.0;
        let is_told = se_micro <= 1_000_000 && (se_micro > 0 || says_it_itself);
        is_told.then_some(AveragePrecision { se_micro })
    }

    fn curve(&self, k: u64) -> Vec<CurvePoint> {
        let mut by_patient: BTreeMap<u32, PatientFindings> = BTreeMap::new();
        let mut all = self.empty();
        for (member, scan) in &self.scans {
            let own = by_patient.entry(member.patient).or_insert_with(|| self.empty());
            for sum in [own, &mut all] {
                add(&mut sum.hits, &scan.hits);
                add(&mut sum.false_positives, &scan.false_positives);
            }
        }
        let patients: Vec<PatientFindings> = by_patient.into_values().collect();
        let shown = dc08_detection::shown(&patients, self.place(), k);
        let point = |edge: usize| CurvePoint {
            edge: u32::try_from(edge).unwrap_or(u32::MAX),
            false_positives: all.false_positives[edge],
            hits: all.hits[edge],
        };
        shown.into_iter().map(point).collect()
    }

    fn empty(&self) -> PatientFindings {
        let none = vec![0; self.plan.edges().len()];
        PatientFindings { hits: none.clone(), false_positives: none }
    }

    /// Lesions by patient, those found among them.
    fn lesion_sums(&self) -> ClusterSums {
        let place = self.place();
        cluster_sums(self.scans.iter().flat_map(|(member, scan)| {
            let hits = at(&scan.hits, place);
            (0..u64::from(scan.lesions))
                .map(move |lesion| (member.patient, u64::from(lesion < hits)))
        }))
    }

    /// Scans by patient, with their false positives.
    fn scan_sums(&self) -> ClusterSums {
        let place = self.place();
        let row = |(member, scan): &Scan<'_>| (member.patient, at(&scan.false_positives, place));
        cluster_sums(self.scans.iter().map(row))
    }

    fn place(&self) -> usize {
        usize::try_from(self.plan.point.edge).unwrap_or(usize::MAX)
    }
}

fn at(counts: &[u16], place: usize) -> u64 {
    counts.get(place).copied().unwrap_or(0).into()
}

fn add(sums: &mut [u64], counts: &[u16]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum += u64::from(*count);
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Two figures of an error, in 10⁻⁶; `None` where there is none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to 0 and 10⁹")]
fn error<E>(se: Result<f64, E>) -> Option<u64> {
    let micro = se.ok().map(|se| se * 1e6).filter(|se| (0.0..=1e9).contains(se))?;
    u64::try_from(two_figures(micro.round() as u64).value_micro).ok()
}
