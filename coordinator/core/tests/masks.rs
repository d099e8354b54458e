//! Accepting results of a study of masks.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/masks.rs"]
mod masks;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, Site, bench, chest, code, signed};
use fedval_stats::segmentation::PresenceTally;
use fedval_study::empty_masks::{EmptyMasks, WithoutStructure};
use fedval_study::result::SubgroupCell;
use fedval_study::{
    Cell, LockedProtocol, Measure, MeasurePerformance, Outcome, Release, ScoreSource, SiteResult,
    Terms,
};

/// A round of this study, and a site that was asked.
async fn round() -> (Bench, LockedProtocol, Site) {
    let bench = bench().await;
    let locked = LockedProtocol::new(masks::of_masks(support::protocol(), 0.8)).unwrap();
    bench.create(&locked).await;
    let sponsor = signed(&locked, &bench.sponsor);
    bench.coordinator.study_lock(&chest(), locked.digest().0, sponsor).await.unwrap();
    let site = bench.enrol("site-a").await;
    bench.coordinator.study_dispatch(&chest(), &[], 0).await.unwrap();
    (bench, locked, site)
}

/// What the gate of a site lets through.
fn vetted(locked: &LockedProtocol) -> SiteResult {
    let tally = PresenceTally { both: 110, only_reference: 4, only_predicted: 3, neither: 12 };
    let header = fedval_study::ResultHeader {
        scores: ScoreSource::PredictionTable,
        ..support::header(locked, "site-a")
    };
    let summary = masks::summary(0, &masks::measured(110, 0.85), tally);
    bench::gate::vetted(header, locked.protocol(), summary).value().clone()
}

#[tokio::test]
async fn what_a_site_says_of_masks_is_taken_in() {
    let (bench, locked, site) = round().await;
    assert!(!bench.submit(&site, vetted(&locked)).await.unwrap().duplicate);
}

#[tokio::test]
async fn a_site_whose_model_outlines_hardly_anybody_is_heard() {
    for (both, only_reference) in [(9, 51), (1, 40)] {
        let (bench, locked, site) = round().await;
        let tally = PresenceTally { both: 0, only_reference, only_predicted: 0, neither: 0 };
        let header = fedval_study::ResultHeader {
            scores: ScoreSource::PredictionTable,
            ..support::header(&locked, "site-a")
        };
        let summary = masks::summary(0, &masks::measured(both, 0.85), tally);
        let vetted = bench::gate::vetted(header, locked.protocol(), summary);
        let Outcome::ReleasedMeasures(release) = &vetted.value().outcome else {
            panic!("released")
        };
        assert_eq!(release.overall.measures[0].measure, Measure::DiceMissesZero);
        let result = vetted.value().clone();
        assert!(!bench.submit(&site, result).await.unwrap().duplicate, "{both}");
    }
}

#[tokio::test]
async fn what_no_gate_lets_through_is_refused() {
    let changes: [fn(&mut Release<MeasurePerformance>); 8] = [
        // Ten patients without the structure are fewer than k.
        |r| {
            let without_structure = Some(WithoutStructure { neither: 8, spurious: 2 });
            r.overall.empty_masks = Some(EmptyMasks { missed: 4, without_structure });
        },
        |r| r.overall.empty_masks.as_mut().unwrap().missed = (1 << 53) - 1,
        // Exact counts beside rounded ones.
        |r| r.terms = Terms { rounding_base: 5, ..r.terms },
        |r| r.terms = Terms { zeros_withheld: true, ..r.terms },
        |r| r.overall.patients = 21,
        |r| r.overall.measures[0].measure = Measure::Error,
        |r| r.overall.measures[0].mean.value_micro = 1_100_000,
        |r| {
            let (category, dimension) = ("ge".parse().unwrap(), "scanner".parse().unwrap());
            let performance = Cell::Released(r.overall.clone());
            r.subgroups.push(SubgroupCell { category, dimension, performance });
        },
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let (bench, locked, site) = round().await;
        let mut result = vetted(&locked);
        let Outcome::ReleasedMeasures(release) = &mut result.outcome else { panic!("measures") };
        change(release);
        let refused = bench.submit(&site, result).await;
        assert!(refused.is_err(), "{place}");
        assert_eq!(code(refused), "RESULT_CONTRADICTION", "{place}");
    }
}

#[tokio::test]
async fn a_site_may_keep_its_counts_of_empty_masks() {
    let (bench, locked, site) = round().await;
    let mut result = vetted(&locked);
    let Outcome::ReleasedMeasures(release) = &mut result.outcome else { panic!("measures") };
    release.overall.empty_masks = None;
    assert!(!bench.submit(&site, result).await.unwrap().duplicate);
}
