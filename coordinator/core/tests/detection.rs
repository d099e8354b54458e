//! Accepting results of a study of findings with a place.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/detection.rs"]
mod detection;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, Site, bench, chest, code, signed};
use fedval_study::detection::{CurvePoint, PointCounts};
use fedval_study::protocol::Profile;
use fedval_study::result::{AttritionCount, SubgroupCell};
use fedval_study::summary::FailureReason;
use fedval_study::{
    Cell, DetectionPerformance, LockedProtocol, Outcome, PatientCounts, Release, ScoreSource,
    SiteResult, Terms,
};

/// A round of a study of findings, and a site that was asked.
async fn round() -> (Bench, LockedProtocol, Site) {
    let bench = bench().await;
    let locked = LockedProtocol::new(detection::of_findings(support::protocol())).unwrap();
    bench.create(&locked).await;
    let sponsor = signed(&locked, &bench.sponsor);
    bench.coordinator.study_lock(&chest(), locked.digest().0, sponsor).await.unwrap();
    let site = bench.enrol("site-a").await;
    bench.coordinator.study_dispatch(&chest(), &[], 0).await.unwrap();
    (bench, locked, site)
}

/// Counts that a group with so many tens of patients could have.
fn group(tens: u64) -> DetectionPerformance {
    DetectionPerformance {
        average_precision: None,
        curve: Vec::new(),
        lesions: 8 * tens,
        patients: PatientCounts {
            total: 10 * tens,
            with_negative: 6 * tens,
            with_positive: 5 * tens,
        },
        point: PointCounts {
            false_positives: Cell::Released(4 * tens),
            hits: 6 * tens,
            name: "call".parse().unwrap(),
            rate_se_micro: Cell::Released(61_000),
            sensitivity_se_micro: Cell::Released(47_000),
        },
        scans_with: 6 * tens,
        scans_without: 7 * tens,
    }
}

/// What a site says: of each scanner a third.
fn release(locked: &LockedProtocol) -> Release<DetectionPerformance> {
    let mut overall = group(15);
    overall.curve = vec![
        CurvePoint { edge: 7, false_positives: 30, hits: 60 },
        CurvePoint { edge: 3, false_positives: 120, hits: 100 },
    ];
    let tables = locked.protocol().tables();
    let cells = tables[0].categories.iter().map(|category| SubgroupCell {
        category: category.clone(),
        dimension: tables[0].name.clone(),
        performance: Cell::Released(group(5)),
    });
    Release {
        attrition: Vec::new(),
        overall,
        subgroups: cells.collect(),
        terms: Terms::exact(Profile::Standard, 11),
    }
}

fn result(locked: &LockedProtocol, release: Release<DetectionPerformance>) -> SiteResult {
    let outcome = Outcome::ReleasedDetection(Box::new(release));
    let mut header = support::header(locked, "site-a");
    header.scores = ScoreSource::PredictionTable;
    SiteResult { header, outcome }
}

#[tokio::test]
async fn what_a_site_says_of_findings_is_taken_in() {
    let (bench, locked, site) = round().await;
    let release = release(&locked);
    assert!(!bench.submit(&site, result(&locked, release)).await.unwrap().duplicate);
}

/// A shown cell, to be changed.
fn cell(release: &mut Release<DetectionPerformance>) -> &mut DetectionPerformance {
    let Cell::Released(group) = &mut release.subgroups[0].performance else { panic!("shown") };
    group
}

#[tokio::test]
async fn what_no_gate_lets_through_is_refused() {
    let changes: [fn(&mut Release<DetectionPerformance>); 19] = [
        |r| r.overall.patients.with_positive = 10,
        |r| cell(r).patients.with_negative = 10,
        |r| cell(r).curve = r.overall.curve.clone(),
        |r| r.overall.curve[0].edge = 5,
        |r| r.overall.curve[1].hits = 200,
        |r| r.overall.point.hits = 59,
        |r| r.overall.point.name = "other".parse().unwrap(),
        |r| r.overall.point.sensitivity_se_micro = Cell::Released(47_100),
        |r| cell(r).lesions = 41,
        // Twenty patients with a lesion bear no error where k is 11.
        |r| cell(r).patients.with_positive = 20,
        // An error of nothing stays; where all or no lesions are found there is no other.
        |r| r.overall.point.sensitivity_se_micro = Cell::Released(0),
        |r| cell(r).point.rate_se_micro = Cell::Released(0),
        |r| cell(r).point.hits = 0,
        // Of 60 in the whole.
        |r| cell(r).point.false_positives = Cell::Released(21),
        |r| {
            r.overall.curve.clear();
            r.overall.point.false_positives = Cell::Suppressed;
            r.overall.point.rate_se_micro = Cell::Suppressed;
        },
        |r| r.subgroups.truncate(2),
        |r| r.terms.k = 10,
        |r| r.terms = Terms { rounding_base: 5, ..r.terms },
        |r| {
            let reason = FailureReason::NoReference;
            r.attrition = vec![AttritionCount { reason, patients: Cell::Released(10) }];
        },
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let (bench, locked, site) = round().await;
        let mut release = release(&locked);
        change(&mut release);
        let refused = bench.submit(&site, result(&locked, release)).await;
        assert!(refused.is_err(), "{place}");
        assert_eq!(code(refused), "RESULT_CONTRADICTION", "{place}");
    }
}

#[tokio::test]
async fn counts_of_findings_are_no_answer_to_another_task() {
    let (bench, locked, site) = round().await;
    let of_one_condition = SiteResult {
        header: support::header(&locked, "site-a"),
        outcome: bench::vetted(&support::locked(), &site, &support::large()).outcome,
    };
    assert_eq!(code(bench.submit(&site, of_one_condition).await), "RESULT_CONTRADICTION");
    let of_findings = release(&locked);
    let bench = bench::bench().await;
    let (locked, mut sites, _) = bench.dispatch(&["site-a"]).await;
    let site = sites.remove(0);
    let mut of_findings = result(&locked, of_findings);
    of_findings.header.scores = ScoreSource::Model;
    assert_eq!(code(bench.submit(&site, of_findings).await), "RESULT_CONTRADICTION");
}
