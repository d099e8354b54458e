//! The gate for findings with a place: what is shown, what stays, and what two releases together would give away.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../../study/tests/support/detection.rs"]
mod detection;
mod false_positives;
#[path = "../../../study/tests/support/mod.rs"]
mod support;

use detection::{CUT_OFF, Scan, evidence, of_findings, scans};
use fedval_disclosure::{
    Earlier, Evidence, Gate, History, SiteLocal, SitePolicy, Vetted, Withheld, bound_bits,
};
use fedval_study::detection::{CurvePoint, DetectionFindings};
use fedval_study::protocol::StudyProtocol;
use fedval_study::summary::Findings;
use fedval_study::{
    Cell, CohortCommitment, DetectionPerformance, LockedProtocol, Outcome, Problem as _, Release,
    Sha256Digest, SiteResult, SiteSummary,
};
use support::header;

/// The tests' study has one table, of three scanners.
const SCANNERS: [u16; 1] = [3];

fn summary(scans: &[Scan]) -> SiteSummary {
    let (members, scans) = evidence(scans);
    SiteSummary {
        cohort: CohortCommitment(Sha256Digest::of(b"cohort")),
        failures: Vec::new(),
        findings: Findings::Detection(DetectionFindings { scans }),
        members,
    }
}

struct Site {
    policy: SitePolicy,
    protocol: StudyProtocol,
    history: History,
}

impl Site {
    fn new() -> Self {
        Self::under("profile = \"standard\"\nk = 11\n")
    }

    fn under(policy: &str) -> Self {
        Self {
            policy: SitePolicy::parse(policy.as_bytes()).unwrap(),
            protocol: of_findings(support::protocol()),
            history: History::default(),
        }
    }

    fn vet(&self, summary: SiteSummary) -> Result<Vetted<SiteResult>, Withheld> {
        let locked = LockedProtocol::new(self.protocol.clone()).unwrap();
        let evidence = Evidence {
            summary: &SiteLocal::new(summary),
            history: &SiteLocal::new(self.history.clone()),
            now_ms: 0,
            noise_seed: [7; 32],
        };
        let policy = self.policy.for_study(&self.protocol);
        Gate::new(policy, &self.protocol).vet(header(&locked, "site-a"), &evidence)
    }

    fn released(&self, scans: &[Scan]) -> Release<DetectionPerformance> {
        release(&self.vet(summary(scans)).unwrap())
    }

    /// The same, remembered by the ledger.
    fn remember(&mut self, scans: &[Scan]) {
        let vetted = self.vet(summary(scans)).unwrap();
        self.history.0.push(Earlier {
            study: "other".parse().unwrap(),
            protocol: LockedProtocol::new(self.protocol.clone()).unwrap().digest(),
            model: self.protocol.model.digest,
            committed_at_ms: 0,
            released: true,
            rho_micro: 0,
            footprint: vetted.footprint().map(|footprint| footprint.open_on_site().clone()),
        });
    }
}

fn release(vetted: &Vetted<SiteResult>) -> Release<DetectionPerformance> {
    let Outcome::ReleasedDetection(release) = &vetted.value().outcome else { panic!("findings") };
    (**release).clone()
}

fn code(answer: Result<Vetted<SiteResult>, Withheld>) -> &'static str {
    answer.map_or_else(|withheld| withheld.code(), |_| "released")
}

/// Three hundred patients, so that every scanner has enough of either label.
fn large() -> Vec<Scan> {
    scans(0..300, &SCANNERS, 3)
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap()
}

#[test]
fn a_large_cohort_is_released_as_it_was_counted() {
    let scans = large();
    let site = Site::new();
    let vetted = site.vet(summary(&scans)).unwrap();
    let found = release(&vetted);
    let lesions: Vec<Option<u32>> = scans.iter().flat_map(|scan| scan.lesions.clone()).collect();
    let others: Vec<u32> = scans.iter().flat_map(|scan| scan.others.clone()).collect();
    let at = |edge: u32| {
        let hits = lesions.iter().flatten().filter(|score| **score >= edge).count();
        let others = others.iter().filter(|score| **score >= edge).count();
        CurvePoint { edge, false_positives: count(others), hits: count(hits) }
    };
    let overall = &found.overall;
    assert_eq!(overall.lesions, count(lesions.len()));
    assert_eq!((overall.scans_with, overall.scans_without), (150, 150));
    assert_eq!(overall.point.hits, at(CUT_OFF).hits);
    assert_eq!(overall.point.false_positives, Cell::Released(at(CUT_OFF).false_positives));
    assert!(overall.curve.len() >= 5, "{:?}", overall.curve);
    for point in &overall.curve {
        assert_eq!(*point, at(point.edge));
    }
    // One scan a patient: the error between patients of the share found.
    let n: f64 = 150.0;
    let patients: Vec<(f64, f64)> = scans
        .iter()
        .filter(|scan| !scan.lesions.is_empty())
        .map(|scan| {
            let hits = scan.lesions.iter().flatten().filter(|score| **score >= CUT_OFF).count();
            (real(hits), real(scan.lesions.len()))
        })
        .collect();
    let all_lesions: f64 = patients.iter().map(|(_, m)| m).sum();
    let share: f64 = patients.iter().map(|(x, _)| x).sum::<f64>() / all_lesions;
    let residuals: f64 = patients.iter().map(|(x, m)| (x - share * m).powi(2)).sum();
    let se = (n / (n - 1.0) * residuals).sqrt() / all_lesions;
    let Cell::Released(told) = overall.point.sensitivity_se_micro else { panic!("withheld") };
    #[expect(clippy::cast_precision_loss, reason = "below 10⁶")]
    let told = told as f64 / 1e6;
    assert!((told / se - 1.0).abs() < 0.05, "{told} {se}");
    assert_eq!(found.subgroups.len(), 3);
    let bits = bound_bits(vetted.value());
    assert!((400..2_000).contains(&bits), "{bits}");
    assert!(vetted.decisions().iter().any(|decision| decision.rule.id() == "DC-08"));
}

#[test]
fn the_error_of_the_average_precision_is_that_without_each_patient_in_turn() {
    let scans = large();
    let found = Site::new().released(&scans).overall;
    let mut edges: Vec<u32> = found.curve.iter().map(|point| point.edge).collect();
    edges.push(CUT_OFF);
    edges.sort_unstable_by(|one, other| other.cmp(one));
    // By strips, so narrow that the error of each area is far below its change by a patient.
    let area = |without: Option<u32>| {
        let own = || scans.iter().filter(move |scan| Some(scan.patient) != without);
        let lesions = real(own().map(|scan| scan.lesions.len()).sum());
        let at = |edge: u32| {
            let hits = own().flat_map(|scan| scan.lesions.iter().flatten());
            let others = own().flat_map(|scan| &scan.others);
            let hits = hits.filter(|score| **score >= edge).count();
            (real(hits), real(others.filter(|score| **score >= edge).count()))
        };
        let (mut area, mut before) = (0.0, (0.0, 0.0));
        for after in edges.iter().map(|edge| at(*edge)) {
            let width = (after.0 - before.0) / 500.0;
            for strip in 0..500 {
                let way = (f64::from(strip) + 0.5) / 500.0;
                let hits = before.0 + way * (after.0 - before.0);
                let others = before.1 + way * (after.1 - before.1);
                area += if width > 0.0 { width * hits / (hits + others) } else { 0.0 };
            }
            before = after;
        }
        area / lesions
    };
    let areas: Vec<f64> = (0..300).map(|patient| area(Some(patient))).collect();
    let mean = areas.iter().sum::<f64>() / 300.0;
    let squares: f64 = areas.iter().map(|area| (area - mean).powi(2)).sum();
    let se = (299.0 / 300.0 * squares).sqrt();
    #[expect(clippy::cast_precision_loss, reason = "below 10⁶")]
    let told = found.average_precision.unwrap().se_micro as f64 / 1e6;
    assert!((told / se - 1.0).abs() < 0.055, "{told} {se}");
    // Beside an earlier release there is no curve, and no area below it.
    let mut again = Site::new();
    again.remember(&scans);
    assert_eq!(again.released(&scans).overall.average_precision, None);
    // Of groups neither.
    let groups = Site::new().released(&scans).subgroups;
    let mut shown = groups.iter().filter_map(|cell| cell.performance.released());
    assert!(shown.all(|group| group.average_precision.is_none()));
}

#[test]
fn the_error_of_an_area_stays_where_few_patients_have_lesions_or_all_are_alike() {
    let all = large();
    // Twenty with lesions: enough to be counted, too few for an error (k + 10 are needed).
    let few = |with: usize| -> Vec<Scan> {
        let some = all.iter().filter(|scan| !scan.lesions.is_empty()).take(with);
        some.chain(all.iter().filter(|scan| scan.lesions.is_empty())).cloned().collect()
    };
    let site = Site::new();
    let told = |scans: &[Scan]| site.released(scans).overall;
    assert_eq!(told(&few(20)).average_precision, None);
    assert_eq!(told(&few(20)).point.sensitivity_se_micro, Cell::Suppressed);
    assert!(told(&few(140)).average_precision.is_some());
    // Every lesion is found, at one of three scores, and there is nothing beside: the counts say it.
    let mut perfect = large();
    for scan in &mut perfect {
        scan.others.clear();
        for (place, lesion) in scan.lesions.iter_mut().enumerate() {
            *lesion = Some([8, 6, 3][(scan.patient as usize / 2 + place) % 3]);
        }
    }
    let found = told(&perfect);
    assert!(found.curve.len() >= 2, "{:?}", found.curve);
    assert_eq!(found.average_precision.map(|of| of.se_micro), Some(0));
}

#[expect(clippy::cast_precision_loss, reason = "a few")]
fn real(n: usize) -> f64 {
    n as f64
}

#[test]
fn groups_add_up_to_the_whole_and_have_no_curve() {
    let found = Site::new().released(&large());
    let shown: Vec<&DetectionPerformance> =
        found.subgroups.iter().filter_map(|cell| cell.performance.released()).collect();
    assert_eq!(shown.len(), 3);
    assert!(shown.iter().all(|group| group.curve.is_empty()));
    let sum =
        |of: fn(&DetectionPerformance) -> u64| shown.iter().map(|group| of(group)).sum::<u64>();
    assert_eq!(sum(|group| group.lesions), found.overall.lesions);
    assert_eq!(sum(|group| group.point.hits), found.overall.point.hits);
    assert_eq!(sum(DetectionPerformance::scans), found.overall.scans());
}

#[test]
fn fewer_than_k_patients_with_or_without_lesions_end_in_insufficient() {
    let site = Site::new();
    let all = large();
    for (with, without) in [(10, 60), (60, 10), (0, 60), (0, 0)] {
        let of = |has: bool, most: usize| {
            let own = all.iter().filter(move |scan| scan.lesions.is_empty() != has);
            own.take(most).cloned()
        };
        let few: Vec<Scan> = of(true, with).chain(of(false, without)).collect();
        assert_eq!(code(site.vet(summary(&few))), "INSUFFICIENT", "{with} {without}");
    }
}

#[test]
fn many_lesions_of_few_patients_do_not_make_a_cohort() {
    let mut few = scans(0..40, &SCANNERS, 3);
    // All lesions are those of five patients.
    for scan in &mut few {
        scan.lesions = if scan.patient < 5 { vec![Some(6); 10] } else { Vec::new() };
    }
    assert_eq!(code(Site::new().vet(summary(&few))), "INSUFFICIENT");
}

#[test]
fn an_error_of_nothing_stays_unless_the_count_says_that_all_are_alike() {
    let of = |lesions: &[Option<u32>], others: &[u32]| {
        let mut scans = large();
        for scan in &mut scans {
            scan.others = others.to_vec();
            if !scan.lesions.is_empty() {
                scan.lesions = lesions.to_vec();
            }
        }
        let point = Site::new().released(&scans).overall.point;
        (point.hits, point.false_positives, point.sensitivity_se_micro, point.rate_se_micro)
    };
    // One of everybody's two lesions is found, and one finding beside: whoever is in the cohort is known.
    let (stays, nothing) = (Cell::Suppressed, Cell::Released(0));
    assert_eq!(of(&[Some(6), None], &[6]), (150, Cell::Released(300), stays, stays));
    assert_eq!(of(&[Some(6), Some(7)], &[]), (300, nothing, nothing, nothing));
    assert_eq!(of(&[None], &[]), (0, nothing, nothing, nothing));
}

#[test]
fn under_a_policy_that_rounds_or_keeps_counts_the_question_itself_is_refused() {
    for profile in ["strict", "cms", "opensafely", "acro", "ohdsi", "dp"] {
        let site = Site::under(&format!("profile = \"{profile}\"\nk = 11\n"));
        let answer = site.vet(summary(&large()));
        assert_eq!(answer.as_ref().err().map(Withheld::outcome), Some(Outcome::Refused));
        assert_eq!(code(answer), "DETECTION_NEEDS_EXACT_COUNTS", "{profile}");
    }
}

#[test]
fn two_releases_that_differ_by_few_patients_are_not_both_made() {
    let mut site = Site::new();
    site.remember(&large());
    // The same patients again: lesions and hits, but no false positives and no curve.
    let again = site.released(&large());
    assert_eq!(again.overall.point.false_positives, Cell::Suppressed);
    assert_eq!(again.overall.point.rate_se_micro, Cell::Suppressed);
    assert!(again.overall.curve.is_empty() && again.overall.point.hits > 0);
    let mut groups = again.subgroups.iter().filter_map(|cell| cell.performance.released());
    assert!(groups.all(|group| group.point.false_positives == Cell::Suppressed));
    // One patient fewer with a lesion.
    let mut fewer = large();
    fewer.remove(1);
    assert_eq!(code(site.vet(summary(&fewer))), "EARLIER_RELEASES");
    // One scan was read again, and its lesion is none.
    let mut changed = large();
    changed[1].lesions.clear();
    assert_eq!(code(site.vet(summary(&changed))), "EARLIER_RELEASES");
    // Enough others of each label.
    let others = site.released(&scans(1_000..1_300, &SCANNERS, 3));
    assert!(others.overall.point.false_positives.released().is_some());
}

#[test]
fn a_whole_minus_an_earlier_whole_does_not_give_one_patient_s_false_positives() {
    let mut site = Site::new();
    site.remember(&large());
    // A hundred patients more, enough of each label; of these one has all false positives.
    let mut more = scans(0..400, &SCANNERS, 3);
    for scan in &mut more[300..] {
        scan.others = if scan.patient == 320 { vec![6; 9] } else { Vec::new() };
    }
    assert!(Site::new().released(&more).overall.point.false_positives.released().is_some());
    let found = site.released(&more);
    assert_eq!(found.overall.point.false_positives, Cell::Suppressed);
    assert!(found.overall.curve.is_empty());
}

#[test]
fn evidence_that_no_matching_gives_is_refused() {
    let lies: [fn(&mut SiteSummary); 6] = [
        |s| s.members.cases[1].positive = false,
        |s| s.members.cases.truncate(200),
        |s| s.members.cases[1].cells[0] = 9,
        |s| counts(s).scans[1].hits[9] += 1,
        |s| counts(s).scans[0].false_positives.truncate(9),
        |s| counts(s).scans[0].false_positives[0] = 21,
    ];
    for (place, lie) in lies.into_iter().enumerate() {
        let mut summary = summary(&large());
        lie(&mut summary);
        assert_eq!(code(Site::new().vet(summary)), "RESULT_SCHEMA", "{place}");
    }
    let binary = support::summary(&support::large(), &support::protocol());
    assert_eq!(code(Site::new().vet(binary)), "RESULT_SCHEMA");
}

fn counts(summary: &mut SiteSummary) -> &mut DetectionFindings {
    let Findings::Detection(found) = &mut summary.findings else { panic!("findings") };
    found
}
