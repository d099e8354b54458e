//! Accepting results of a study with several conditions.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/conditions.rs"]
mod conditions;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, Site, bench, chest, code, signed};
use conditions::{by_scanner, findings, patients, three_conditions};
use fedval_study::condition_groups::ConditionGroup;
use fedval_study::protocol::{Profile, StudyProtocol};
use fedval_study::result::{AttritionCount, SubgroupCell};
use fedval_study::summary::FailureReason;
use fedval_study::{
    Cell, ConditionPerformance, LockedProtocol, Outcome, Release, SiteResult, Terms,
};

fn plan() -> StudyProtocol {
    three_conditions(support::protocol(), "macro_auroc")
}

/// A round of this study, and a site that was asked.
async fn round() -> (Bench, LockedProtocol, Site) {
    round_of(plan()).await
}

async fn round_of(plan: StudyProtocol) -> (Bench, LockedProtocol, Site) {
    let bench = bench().await;
    let locked = LockedProtocol::new(plan).unwrap();
    bench.create(&locked).await;
    let sponsor = signed(&locked, &bench.sponsor);
    bench.coordinator.study_lock(&chest(), locked.digest().0, sponsor).await.unwrap();
    let site = bench.enrol("site-a").await;
    bench.coordinator.study_dispatch(&chest(), &[], 0).await.unwrap();
    (bench, locked, site)
}

/// What a site says of two hundred patients, of whom so many were not assessed for the last condition.
fn release(lacking: usize, is_shown: [bool; 3]) -> Release<ConditionPerformance> {
    let mut patients = patients(0, 200, [40, 30, 25]);
    patients[..lacking].iter_mut().for_each(|patient| patient.reference[2] = None);
    let plan = plan();
    Release {
        attrition: Vec::new(),
        overall: findings(&plan, &patients).shown(plan.task.conditions(), &is_shown),
        subgroups: Vec::new(),
        terms: Terms::exact(Profile::Standard, 11),
    }
}

fn result(locked: &LockedProtocol, release: Release<ConditionPerformance>) -> SiteResult {
    let outcome = Outcome::ReleasedConditions(Box::new(release));
    SiteResult { header: support::header(locked, "site-a"), outcome }
}

#[tokio::test]
async fn what_a_site_says_of_conditions_is_taken_in() {
    for release in [release(0, [true; 3]), release(15, [true; 3]), release(0, [false, true, true])]
    {
        let (bench, locked, site) = round().await;
        assert!(!bench.submit(&site, result(&locked, release)).await.unwrap().duplicate);
    }
}

#[tokio::test]
async fn what_no_gate_lets_through_is_refused() {
    let changes: [fn(&mut Release<ConditionPerformance>); 8] = [
        // Few who lack a reference standard.
        |r| *r = release(4, [true; 3]),
        |r| *r = release(0, [false; 3]),
        |r| r.overall.conditions.swap(0, 1),
        |r| r.overall.macro_se_nano = Cell::Released(u64::MAX >> 12),
        |r| r.overall.patients = 150,
        |r| r.terms.k = 10,
        |r| r.terms = Terms { rounding_base: 10, ..r.terms },
        |r| {
            let reason = FailureReason::Other;
            r.attrition = vec![AttritionCount { reason, patients: Cell::Released(10) }];
        },
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let (bench, locked, site) = round().await;
        let mut release = release(15, [true; 3]);
        change(&mut release);
        let refused = bench.submit(&site, result(&locked, release)).await;
        assert!(refused.is_err(), "{place}");
        assert_eq!(code(refused), "RESULT_CONTRADICTION", "{place}");
    }
}

/// A study of this by scanner, and what a site says of so many patients by group.
fn by_group(count: u32) -> (StudyProtocol, Release<ConditionPerformance>) {
    let plan = by_scanner(plan());
    let mut patients = patients(0, count, [40, 30, 25]);
    for (place, patient) in (0_u16..).zip(&mut patients) {
        patient.group = Some(place % 3);
    }
    let (found, conditions) = (findings(&plan, &patients), plan.task.conditions());
    let cell = |(name, group): (&str, &ConditionGroup)| SubgroupCell {
        category: name.parse().unwrap(),
        dimension: "scanner".parse().unwrap(),
        performance: group.shown(conditions, &[true; 3]),
    };
    let release = Release {
        attrition: Vec::new(),
        overall: found.shown(conditions, &[true; 3]),
        subgroups: ["a", "b", "c"].into_iter().zip(&found.groups).map(cell).collect(),
        terms: Terms::exact(Profile::Standard, 11),
    };
    (plan, release)
}

#[tokio::test]
async fn conditions_by_group_are_taken_in_where_every_count_rests_on_enough() {
    // Of ninety patients each group has thirty, and few of them a nodule.
    for (count, is_taken) in [(450, true), (90, false)] {
        let (plan, release) = by_group(count);
        let (bench, locked, site) = round_of(plan).await;
        let answer = bench.submit(&site, result(&locked, release)).await;
        assert_eq!(answer.is_ok(), is_taken, "{count}");
        if !is_taken {
            assert_eq!(code(answer), "RESULT_CONTRADICTION");
        }
    }
}

#[tokio::test]
async fn a_release_about_one_condition_is_of_another_task() {
    let (bench, locked, site) = round().await;
    let of_one = SiteResult {
        header: support::header(&locked, "site-a"),
        outcome: bench::vetted(&support::locked(), &site, &support::large()).outcome,
    };
    assert_eq!(code(bench.submit(&site, of_one).await), "RESULT_CONTRADICTION");
}
