//! The report: a pure function of what is stored, and provable to a stranger.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, bench, chest, code, vetted};
use fedval_study::{Outcome, SiteResult};
use support::{cases, group, header};

/// A round in which three sites released, one refused and one is silent.
async fn answered() -> Bench {
    let bench = bench().await;
    let names = ["site-a", "site-b", "site-c", "site-d", "site-e"];
    let (locked, sites, _) = bench.dispatch(&names).await;
    for (seed, site) in (1..).zip(&sites[..3]) {
        bench.clock.advance_seconds(60);
        let groups = [group("a", 40, 60), group("b", 30, 40), group("c", 20, 25)];
        let result = vetted(&locked, site, &cases(seed, &groups));
        bench.submit(site, result).await.unwrap();
    }
    let refused = SiteResult { header: header(&locked, "site-d"), outcome: Outcome::Refused };
    bench.submit(&sites[3], refused).await.unwrap();
    bench
}

#[tokio::test]
async fn the_same_results_give_the_same_bytes_whenever_they_are_asked_for() {
    let bench = answered().await;
    bench.coordinator.study_close(&chest()).await.unwrap();
    let first = bench.coordinator.report_build(&chest()).await.unwrap().files();
    bench.clock.advance_seconds(1000);
    let second = bench.coordinator.report_build(&chest()).await.unwrap().files();
    assert_eq!(first, second);
    assert!(first.contains_key("report.json") && first.contains_key("report.html"));
    let sites = first.keys().filter(|path| path.starts_with("evidence/sites/")).count();
    assert_eq!(sites, 8, "four results with their signatures");
}

#[tokio::test]
async fn a_package_proves_itself_to_whoever_knows_the_root() {
    let bench = answered().await;
    let files = bench.coordinator.report_build(&chest()).await.unwrap().files();
    let root = bench.coordinator.root().fingerprint();
    let verification = fedval_report::verify(&files, Some(root));
    assert!(verification.holds(), "{:?}", verification.first_failure());
    assert!(verification.root_is_pinned);
    for path in files.keys() {
        let mut tampered = files.clone();
        let bytes = tampered.get_mut(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        assert!(!fedval_report::verify(&tampered, Some(root)).holds(), "{path} was changed");
    }
}

#[tokio::test]
async fn a_round_that_is_open_is_reported_as_it_stands() {
    let bench = answered().await;
    let open = bench.coordinator.report_build(&chest()).await.unwrap().files();
    bench.coordinator.study_close(&chest()).await.unwrap();
    let closed = bench.coordinator.report_build(&chest()).await.unwrap().files();
    assert_ne!(open["evidence/round.json"], closed["evidence/round.json"]);
    let round = String::from_utf8_lossy(&closed["evidence/round.json"]).into_owned();
    for part in ["\"site-e\"", "\"missing\"", "\"refused\"", "\"released\""] {
        assert!(round.contains(part), "{part} is not in {round}");
    }
}

#[tokio::test]
async fn a_study_that_was_never_dispatched_has_no_report() {
    let bench = bench().await;
    bench.lock().await;
    assert_eq!(code(bench.coordinator.report_build(&chest()).await), "STUDY_NOT_DISPATCHED");
}
