//! Accepting results of a study with several conditions.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/conditions.rs"]
mod conditions;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, Site, bench, chest, code, signed};
use conditions::{Patient, by_scanner, findings, patients, three_conditions};
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

/// So many patients, of whom each third has another scanner.
fn in_groups(count: u32) -> Vec<Patient> {
    let mut patients = patients(0, count, [40, 30, 25]);
    for (place, patient) in (0_u16..).zip(&mut patients) {
        patient.group = Some(place % 3);
    }
    patients
}

/// A study of this by scanner, and what a site says of these by group where of each group these conditions are told.
fn by_group(
    patients: &[Patient],
    is_told: [[bool; 3]; 3],
) -> (StudyProtocol, Release<ConditionPerformance>) {
    let plan = by_scanner(plan());
    let (found, conditions) = (findings(&plan, patients), plan.task.conditions());
    let cell = |((name, is_told), group): ((&str, [bool; 3]), &ConditionGroup)| SubgroupCell {
        category: name.parse().unwrap(),
        dimension: "scanner".parse().unwrap(),
        performance: group.shown(conditions, &is_told),
    };
    let release = Release {
        attrition: Vec::new(),
        overall: found.shown(conditions, &[true; 3]),
        subgroups: ["a", "b", "c"].into_iter().zip(is_told).zip(&found.groups).map(cell).collect(),
        terms: Terms::exact(Profile::Standard, 11),
    };
    (plan, release)
}

#[tokio::test]
async fn conditions_by_group_are_taken_in_where_every_count_rests_on_enough() {
    // Of ninety patients each group has thirty, and few of them a nodule.
    for (count, is_taken) in [(450, true), (90, false)] {
        let (plan, release) = by_group(&in_groups(count), [[true; 3]; 3]);
        let (bench, locked, site) = round_of(plan).await;
        let answer = bench.submit(&site, result(&locked, release)).await;
        assert_eq!(answer.is_ok(), is_taken, "{count}");
        if !is_taken {
            assert_eq!(code(answer), "RESULT_CONTRADICTION");
        }
    }
}

/// Has the coordinator take in what a site says of these patients by group.
async fn is_taken(patients: &[Patient], is_told: [[bool; 3]; 3]) -> bool {
    let (plan, release) = by_group(patients, is_told);
    let (bench, locked, site) = round_of(plan).await;
    let answer = bench.submit(&site, result(&locked, release)).await;
    let is_taken = answer.is_ok();
    if !is_taken {
        assert_eq!(code(answer), "RESULT_CONTRADICTION");
    }
    is_taken
}

/// Groups of a hundred patients, whose first group has so many who were not assessed for the first condition.
#[tokio::test]
async fn few_of_a_group_who_were_not_assessed_follow_and_many_do_not() {
    let lacking = |count: usize| {
        let mut patients = in_groups(300);
        let own = patients.iter_mut().filter(|patient| patient.group == Some(0)).take(count);
        own.for_each(|patient| patient.reference[0] = None);
        // Of the whole many lack it, whatever the first group does.
        let others = patients.iter_mut().filter(|patient| patient.group == Some(1)).take(12);
        others.for_each(|patient| patient.reference[0] = None);
        patients
    };
    let mut told = [[false; 3]; 3];
    told[0][0] = true;
    for (count, taken) in [(0, true), (1, false), (10, false), (11, true)] {
        assert_eq!(is_taken(&lacking(count), told).await, taken, "{count}");
    }
}

/// Where k is 5, seven with and seven without a condition are enough of both, and with fourteen no spread is told.
#[tokio::test]
async fn spreads_of_a_group_rest_on_ten_more() {
    let mut told = [[false; 3]; 3];
    told[0][0] = true;
    for (count, is_taken) in [(14_u32, false), (16, true)] {
        let mut patients = in_groups(450);
        let mut left = count;
        for patient in patients.iter_mut().filter(|patient| patient.group == Some(0)) {
            patient.reference[0] = (left > 0).then_some(left % 2 == 0);
            left = left.saturating_sub(1);
        }
        let (mut plan, mut release) = by_group(&patients, told);
        plan.disclosure.k = 5;
        release.terms = Terms::exact(Profile::Standard, 5);
        let (bench, locked, site) = round_of(plan).await;
        let answer = bench.submit(&site, result(&locked, release)).await;
        assert_eq!(answer.is_ok(), is_taken, "{count}");
    }
}

/// What is told of two groups leaves few of the third.
#[tokio::test]
async fn what_groups_leave_of_the_whole_is_nobody_or_many() {
    let mut told = [[true; 3]; 3];
    told[2][0] = false;
    assert!(is_taken(&in_groups(450), told).await, "many are left");
    for reference in [Some(true), Some(false), None] {
        let other = if reference == Some(true) { Some(false) } else { Some(true) };
        let mut patients = in_groups(450);
        let third = patients.iter_mut().filter(|patient| patient.group == Some(2));
        for (place, patient) in third.enumerate() {
            let half = if place < 70 { Some(false) } else { Some(true) };
            patient.reference[0] = if reference.is_none() { half } else { other };
            if place < 4 {
                patient.reference[0] = reference;
            }
        }
        if reference.is_none() {
            let second = patients.iter_mut().filter(|patient| patient.group == Some(1));
            second.take(20).for_each(|patient| patient.reference[0] = None);
        }
        assert!(!is_taken(&patients, told).await, "{reference:?}");
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
