//! Accepting results of a study with several classes.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/classes.rs"]
mod classes;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, Site, bench, chest, code, signed};
use fedval_stats::multiclass::{ClassScores, OneVersusRestSums};
use fedval_study::classes::ClassAreas;
use fedval_study::protocol::{Class, Profile, StudyProtocol, Task};
use fedval_study::result::AttritionCount;
use fedval_study::summary::FailureReason;
use fedval_study::{Cell, ClassPerformance, LockedProtocol, Outcome, Release, SiteResult, Terms};
use ndarray::Array2;

const PATIENTS: usize = 120;

fn plan(task: fn(Vec<Class>) -> Task, metric: &str) -> StudyProtocol {
    classes::three_classes(support::protocol(), task, metric)
}

fn three_classes() -> StudyProtocol {
    plan(Task::MultiClass, "macro_auroc")
}

/// A round of this study, and a site that was asked.
async fn round(plan: StudyProtocol) -> (Bench, LockedProtocol, Site) {
    let bench = bench().await;
    let locked = LockedProtocol::new(plan).unwrap();
    bench.create(&locked).await;
    let sponsor = signed(&locked, &bench.sponsor);
    bench.coordinator.study_lock(&chest(), locked.digest().0, sponsor).await.unwrap();
    let site = bench.enrol("site-a").await;
    bench.coordinator.study_dispatch(&chest(), &[], 0).await.unwrap();
    (bench, locked, site)
}

/// What a site says of its patients.
fn release(task: &Task) -> Release<ClassPerformance> {
    // 40, 30 and 50 of them.
    let class: Vec<usize> =
        (0..PATIENTS).map(|patient| [0, 2, 1, 2, 0, 1, 2, 0, 2, 1, 0, 2][patient % 12]).collect();
    let mut confusion = vec![vec![0; 3]; 3];
    for (patient, class) in class.iter().enumerate() {
        confusion[*class][(class + usize::from(patient % 7 == 0)) % 3] += 1;
    }
    let areas = matches!(task, Task::MultiClass(_)).then(|| {
        let keys = Array2::from_shape_fn((PATIENTS, 3), |(patient, of)| {
            let own = i64::from(class[patient] == of) * 20;
            i64::try_from((patient * 31 + of * 17) % 37).unwrap() + own
        });
        let scores = ClassScores::new(class, keys).unwrap();
        Box::new(ClassAreas::of(&OneVersusRestSums::of(&scores)).unwrap())
    });
    Release {
        attrition: Vec::new(),
        overall: ClassPerformance { areas, confusion },
        subgroups: Vec::new(),
        terms: Terms::exact(Profile::Standard, 11),
    }
}

fn result(locked: &LockedProtocol, release: Release<ClassPerformance>) -> SiteResult {
    let outcome = Outcome::ReleasedClasses(Box::new(release));
    SiteResult { header: support::header(locked, "site-a"), outcome }
}

#[tokio::test]
async fn what_a_site_says_of_classes_is_taken_in() {
    for plan in [three_classes(), plan(Task::Ordinal, "quadratic_kappa")] {
        let (bench, locked, site) = round(plan).await;
        let release = release(&locked.protocol().task);
        assert!(!bench.submit(&site, result(&locked, release)).await.unwrap().duplicate);
    }
}

#[tokio::test]
async fn what_no_gate_lets_through_is_refused() {
    let changes: [fn(&mut Release<ClassPerformance>); 10] = [
        // A class of ten.
        |r| r.overall.confusion[0] = vec![10, 0, 0],
        |r| r.overall.confusion[0][0] += 1,
        |r| r.overall.confusion.truncate(2),
        |r| r.overall.areas = None,
        |r| r.overall.areas.as_mut().unwrap().ranks.swap(0, 2),
        |r| r.overall.areas.as_mut().unwrap().ranks[1].neg_squares = u128::MAX,
        |r| r.overall.areas.as_mut().unwrap().macro_se_nano = u64::MAX >> 12,
        |r| r.terms.k = 10,
        |r| r.terms = Terms { rounding_base: 10, ..r.terms },
        |r| {
            let reason = FailureReason::Other;
            r.attrition = vec![AttritionCount { reason, patients: Cell::Released(10) }];
        },
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let (bench, locked, site) = round(three_classes()).await;
        let mut release = release(&locked.protocol().task);
        change(&mut release);
        let refused = bench.submit(&site, result(&locked, release)).await;
        assert!(refused.is_err(), "{place}");
        assert_eq!(code(refused), "RESULT_CONTRADICTION", "{place}");
    }
}

#[tokio::test]
async fn each_task_has_a_release_of_its_own() {
    let (bench, locked, site) = round(plan(Task::Ordinal, "quadratic_kappa")).await;
    let with_areas = release(&three_classes().task);
    assert_eq!(
        code(bench.submit(&site, result(&locked, with_areas)).await),
        "RESULT_CONTRADICTION"
    );
    let of_one_condition = SiteResult {
        header: support::header(&locked, "site-a"),
        outcome: bench::vetted(&support::locked(), &site, &support::large()).outcome,
    };
    assert_eq!(code(bench.submit(&site, of_one_condition).await), "RESULT_CONTRADICTION");
    let bench = bench::bench().await;
    let (locked, mut sites, _) = bench.dispatch(&["site-a"]).await;
    let site = sites.remove(0);
    let of_classes = result(&locked, release(&three_classes().task));
    assert_eq!(code(bench.submit(&site, of_classes).await), "RESULT_CONTRADICTION");
}
