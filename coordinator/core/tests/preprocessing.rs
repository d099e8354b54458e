//! Results are taken with the probe images that the protocol leads to, and with no others.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, Site, bench, chest, code, signed, vetted};
use fedval_ambient::Problem as _;
use fedval_preprocess::probe::Probes;
use fedval_study::protocol::{PredictionTables, ProbeRule};
use fedval_study::{
    LockedProtocol, Outcome, ProbeDigests, ProbeName, ScoreSource, Sha256Digest, SiteResult,
    StudyProtocol,
};
use support::large;

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

fn requiring() -> StudyProtocol {
    StudyProtocol { preprocessing_probes: ProbeRule::Require, ..support::protocol() }
}

/// What a site that does as the protocol says makes of the probes.
fn truth(plan: &StudyProtocol) -> ProbeDigests {
    Probes::of(&plan.model.input).expected()
}

/// A release with these probes.
fn release(locked: &LockedProtocol, site: &Site, preprocessing: ProbeDigests) -> SiteResult {
    let mut result = vetted(locked, site, &large());
    result.header.preprocessing = preprocessing;
    result
}

/// The truth, but for one probe.
fn drifted(plan: &StudyProtocol, probe: ProbeName) -> ProbeDigests {
    let of = |(own, digest)| {
        (own, if own == probe { Sha256Digest::of(b"something else") } else { digest })
    };
    truth(plan).all().map(of).collect()
}

#[tokio::test]
async fn what_agrees_is_taken_whether_required_or_not() {
    for plan in [support::protocol(), requiring()] {
        let (bench, locked, site) = round(plan).await;
        let result = release(&locked, &site, truth(locked.protocol()));
        assert!(!bench.submit(&site, result.clone()).await.unwrap().duplicate);
        assert!(bench.submit(&site, result).await.unwrap().duplicate);
    }
}

#[tokio::test]
async fn what_differs_is_refused_with_what_is_wrong() {
    let (bench, locked, site) = round(support::protocol()).await;
    for (probe, told) in [
        (ProbeName::ScalingWhite, "scaling"),
        (ProbeName::Orientation, "turned or mirrored"),
        (ProbeName::Windowing, "windowing"),
        (ProbeName::Resize, "resize"),
    ] {
        let result = release(&locked, &site, drifted(locked.protocol(), probe));
        let refused = bench.submit(&site, result).await.unwrap_err();
        let message = refused.to_string();
        assert!(message.contains(told) && message.contains(probe.as_str()), "{message}");
        assert_eq!(code::<(), _>(Err(refused)), "PREPROCESSING_DIFFERS");
    }
    // Nothing was recorded: the site mends its agent and hands in what it found.
    let mended = release(&locked, &site, truth(locked.protocol()));
    assert!(!bench.submit(&site, mended).await.unwrap().duplicate);
}

#[tokio::test]
async fn a_probe_that_is_left_out_is_refused() {
    let (bench, locked, site) = round(support::protocol()).await;
    let all = truth(locked.protocol());
    let some = all.all().filter(|(probe, _)| *probe != ProbeName::Resize).collect();
    let refused = bench.submit(&site, release(&locked, &site, some)).await.unwrap_err();
    assert!(refused.to_string().contains("resize"), "{refused}");
    assert_eq!(refused.code(), "PREPROCESSING_DIFFERS");
}

#[tokio::test]
async fn without_probes_a_release_is_taken_only_where_nobody_requires_them() {
    let (bench, locked, site) = round(support::protocol()).await;
    assert!(bench.submit(&site, release(&locked, &site, ProbeDigests::default())).await.is_ok());
    let (bench, locked, site) = round(requiring()).await;
    let refused = bench.submit(&site, release(&locked, &site, ProbeDigests::default())).await;
    assert_eq!(code(refused), "PREPROCESSING_UNPROVEN");
    // Whoever releases nothing has opened no image.
    let header = support::header(&locked, "site-a");
    let refusal = SiteResult { header, outcome: Outcome::Refused };
    assert!(bench.submit(&site, refusal).await.is_ok());
}

#[tokio::test]
async fn a_table_of_scores_has_no_probes_and_needs_none() {
    let plan = StudyProtocol { prediction_tables: PredictionTables::Accept, ..requiring() };
    let (bench, locked, site) = round(plan).await;
    let of_table = |preprocessing| {
        let mut result = release(&locked, &site, preprocessing);
        result.header.scores = ScoreSource::PredictionTable;
        result
    };
    let refused = bench.submit(&site, of_table(truth(locked.protocol()))).await;
    assert_eq!(code(refused), "RESULT_CONTRADICTION");
    assert!(bench.submit(&site, of_table(ProbeDigests::default())).await.is_ok());
}

#[tokio::test]
async fn an_answer_without_aggregates_shows_no_other_probes_either() {
    let (bench, locked, site) = round(support::protocol()).await;
    let mut header = support::header(&locked, "site-a");
    header.preprocessing = drifted(locked.protocol(), ProbeName::Colour);
    let refused = bench.submit(&site, SiteResult { header, outcome: Outcome::Refused }).await;
    assert_eq!(code(refused), "PREPROCESSING_DIFFERS");
}
