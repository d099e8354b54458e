//! Accepting results of a study that measures a quantity.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/quantity.rs"]
mod quantity;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, Site, bench, chest, code, signed};
use fedval_study::protocol::{Profile, StudyProtocol};
use fedval_study::result::AttritionCount;
use fedval_study::summary::FailureReason;
use fedval_study::{
    Cell, LockedProtocol, Measure, MeasurePerformance, Outcome, Release, SiteResult, Terms,
};

fn plan() -> StudyProtocol {
    quantity::of_a_quantity(support::protocol(), 8.0)
}

/// A round of this study, and a site that was asked.
async fn round() -> (Bench, LockedProtocol, Site) {
    let bench = bench().await;
    let locked = LockedProtocol::new(plan()).unwrap();
    bench.create(&locked).await;
    let sponsor = signed(&locked, &bench.sponsor);
    bench.coordinator.study_lock(&chest(), locked.digest().0, sponsor).await.unwrap();
    let site = bench.enrol("site-a").await;
    bench.coordinator.study_dispatch(&chest(), &[], 0).await.unwrap();
    (bench, locked, site)
}

/// What the gate of a site lets through: 60, 50 and 40 patients at three scanners.
fn vetted(locked: &LockedProtocol) -> SiteResult {
    let cell = |number: u32| match number {
        0..60 => vec![0],
        60..110 => vec![1],
        _ => vec![2],
    };
    let patients = quantity::patients((0, 150), (2.0, 6.0), cell);
    bench::gate::vetted(
        support::header(locked, "site-a"),
        locked.protocol(),
        quantity::summary(locked.protocol(), &patients),
    )
    .value()
    .clone()
}

fn changed(
    locked: &LockedProtocol,
    change: impl Fn(&mut Release<MeasurePerformance>),
) -> SiteResult {
    let mut result = vetted(locked);
    let Outcome::ReleasedMeasures(release) = &mut result.outcome else { panic!("measures") };
    change(release);
    result
}

#[tokio::test]
async fn what_a_site_says_of_measures_is_taken_in() {
    let (bench, locked, site) = round().await;
    assert!(!bench.submit(&site, vetted(&locked)).await.unwrap().duplicate);
}

#[tokio::test]
async fn what_no_gate_lets_through_is_refused() {
    let changes: [fn(&mut Release<MeasurePerformance>); 16] = [
        |r| r.overall.patients = 21,
        |r| r.overall.patients = 100,
        |r| r.overall.measures.truncate(2),
        |r| r.overall.measures.swap(0, 1),
        |r| r.overall.measures[2].measure = Measure::Error,
        // A finer grid than hides a patient.
        |r| r.overall.measures[0].mean.grid_micro = 100_000,
        |r| r.overall.measures[0].mean.value_micro += 1,
        |r| r.overall.measures[1].mean.value_micro = 200_000_000,
        |r| r.overall.measures[2].sd.value_micro = 0,
        |r| r.overall.measures[2].sd.value_micro = 990_000_000,
        |r| r.overall.measures[2].sd.value_micro = 33_300_000,
        // Twenty patients have no spread that may be told.
        |r| small(r, 20),
        |r| r.terms.k = 10,
        |r| r.terms = Terms { noise_rho_micro: Some(50_000), ..r.terms },
        |r| r.terms = Terms { rounding_base: 7, ..r.terms },
        |r| {
            let reason = FailureReason::Other;
            r.attrition = vec![AttritionCount { reason, patients: Cell::Released(10) }];
        },
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let (bench, locked, site) = round().await;
        let refused = bench.submit(&site, changed(&locked, change)).await;
        assert!(refused.is_err(), "{place}");
        assert_eq!(code(refused), "RESULT_CONTRADICTION", "{place}");
    }
}

/// The last cell with fewer patients, on the grid that they ask for.
fn small(release: &mut Release<MeasurePerformance>, patients: u64) {
    let ranges = plan().task.measures();
    let Cell::Released(cell) = &mut release.subgroups[2].performance else { panic!("shown") };
    cell.patients = patients;
    for (of, range) in cell.measures.iter_mut().zip(&ranges) {
        let grid = fedval_disclosure::rules::dc10_means::measure_grid_micro(range, patients);
        of.mean.grid_micro = grid;
        of.mean.value_micro = 0;
    }
}

#[tokio::test]
async fn a_table_holds_no_more_patients_than_the_whole() {
    let (bench, locked, site) = round().await;
    let result = changed(&locked, |release| {
        let whole = release.overall.clone();
        for cell in &mut release.subgroups {
            cell.performance = Cell::Released(whole.clone());
        }
    });
    assert_eq!(code(bench.submit(&site, result).await), "RESULT_CONTRADICTION");
}

#[tokio::test]
async fn each_task_has_a_release_of_its_own() {
    let (bench, locked, site) = round().await;
    let of_one_condition = SiteResult {
        header: support::header(&locked, "site-a"),
        outcome: bench::vetted(&support::locked(), &site, &support::large()).outcome,
    };
    assert_eq!(code(bench.submit(&site, of_one_condition).await), "RESULT_CONTRADICTION");
    let of_measures = vetted(&locked).outcome;
    let bench = bench::bench().await;
    let (locked, mut sites, _) = bench.dispatch(&["site-a"]).await;
    let result = SiteResult { header: support::header(&locked, "site-a"), outcome: of_measures };
    assert_eq!(code(bench.submit(&sites.remove(0), result).await), "RESULT_CONTRADICTION");
}

#[tokio::test]
async fn a_site_may_round_what_it_releases() {
    let (bench, locked, site) = round().await;
    let result = changed(&locked, |release| {
        release.terms = Terms { rounding_base: 5, profile: Profile::Strict, ..release.terms };
        // From 136 patients on the grids are the same as from 140 on; smaller groups are left out.
        for cell in &mut release.subgroups {
            cell.performance = Cell::Suppressed;
        }
    });
    let ranges = locked.protocol().task.measures();
    let grid = |patients| {
        let of = |range| fedval_disclosure::rules::dc10_means::measure_grid_micro(range, patients);
        ranges.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(grid(146), grid(150), "or the release below would stand on other grids");
    assert!(!bench.submit(&site, result).await.unwrap().duplicate);
}
