//! Accepting results: once, from whom it says, about what was asked, free of contradiction.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, Site, bench, chest, code, sign, vetted};
use fedval_core::port::SiteState;
use fedval_study::result::AttritionCount;
use fedval_study::summary::FailureReason;
use fedval_study::{
    Cell, FailedStage, LockedProtocol, Outcome, Performance, Release, RoundId, Sha256Digest,
    SiteResult,
};
use fedval_trust::{PayloadType, SecretKey, dsse};
use support::{Group, cases, group, header, large, performance, protocol};

/// A round that waits for two sites.
async fn round() -> (Bench, LockedProtocol, Site, Site) {
    let bench = bench().await;
    let (locked, mut sites, _) = bench.dispatch(&["site-a", "site-b"]).await;
    let (b, a) = (sites.pop().unwrap(), sites.pop().unwrap());
    (bench, locked, a, b)
}

async fn recorded(bench: &Bench) -> usize {
    let round: RoundId = "chest-r1".parse().unwrap();
    bench.coordinator.store().result_list(&round).await.unwrap().len()
}

fn release_of(result: &mut SiteResult) -> &mut Release {
    match &mut result.outcome {
        Outcome::Released(release) => release,
        other => panic!("not released: {other:?}"),
    }
}

#[tokio::test]
async fn a_result_is_recorded_once_and_a_retry_gets_the_same_acknowledgement() {
    let (bench, locked, site, _) = round().await;
    let result = vetted(&locked, &site, &large());
    let first = bench.submit(&site, result.clone()).await.unwrap();
    assert!(!first.duplicate);
    bench.clock.advance_seconds(3600);
    let retry = bench.submit(&site, result.clone()).await.unwrap();
    assert!(retry.duplicate);
    assert_eq!((retry.digest, retry.recorded_at), (first.digest, first.recorded_at));
    bench.coordinator.study_close(&chest()).await.unwrap();
    assert!(bench.submit(&site, result).await.unwrap().duplicate, "also after the close");
    assert_eq!(recorded(&bench).await, 1);
}

#[tokio::test]
async fn a_second_result_of_other_content_is_a_conflict() {
    let (bench, locked, site, _) = round().await;
    bench.submit(&site, vetted(&locked, &site, &large())).await.unwrap();
    let other = vetted(&locked, &site, &cases(8, &[group("a", 60, 90)]));
    assert_eq!(code(bench.submit(&site, other).await), "CONFLICT");
    let mut refused = vetted(&locked, &site, &large());
    refused.outcome = Outcome::Refused;
    assert_eq!(code(bench.submit(&site, refused).await), "CONFLICT");
    assert_eq!(recorded(&bench).await, 1);
}

#[tokio::test]
async fn of_many_retries_at_once_one_is_new() {
    let (bench, locked, site, _) = round().await;
    let result = vetted(&locked, &site, &large());
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (coordinator, site_id) = (bench.coordinator.clone(), site.id.clone());
            let (result, signature) = (result.clone(), sign(&site, &result));
            tokio::spawn(
                async move { coordinator.result_submit(&site_id, result, signature, 0).await },
            )
        })
        .collect();
    let mut new = 0;
    for call in calls {
        new += usize::from(!call.await.unwrap().unwrap().duplicate);
    }
    assert_eq!((new, recorded(&bench).await), (1, 1));
}

#[tokio::test]
async fn an_answer_without_aggregates_stands_too() {
    for outcome in
        [Outcome::Insufficient, Outcome::Refused, Outcome::Failed(FailedStage::Evaluation)]
    {
        let (bench, locked, site, _) = round().await;
        let result = SiteResult { header: header(&locked, "site-a"), outcome };
        assert!(!bench.submit(&site, result).await.unwrap().duplicate);
    }
}

#[tokio::test]
async fn a_site_speaks_for_itself_alone() {
    let (bench, locked, a, b) = round().await;
    let result_of_a = vetted(&locked, &a, &large());
    assert_eq!(code(bench.submit(&b, result_of_a.clone()).await), "WRONG_SITE");
    let by_b = sign(&b, &result_of_a);
    let refused = bench.coordinator.result_submit(&a.id, result_of_a, by_b, 0).await;
    assert_eq!(code(refused), "RESULT_SIGNATURE");
    assert_eq!(recorded(&bench).await, 0);
}

#[tokio::test]
async fn a_signature_must_be_over_these_bytes_as_a_result() {
    let (bench, locked, site, _) = round().await;
    let result = vetted(&locked, &site, &large());
    let bytes = fedval_study::Canonical::new(result.clone()).unwrap();
    let another_kind = dsse::sign(&site.key, PayloadType::Report, bytes.bytes());
    let other_bytes = sign(&site, &vetted(&locked, &site, &cases(8, &[group("a", 60, 90)])));
    let stranger = SecretKey::generate(bench.entropy.as_ref());
    let stranger = dsse::sign(&stranger, PayloadType::SiteResult, bytes.bytes());
    for bad in [another_kind, other_bytes, stranger] {
        let refused = bench.coordinator.result_submit(&site.id, result.clone(), bad, 0).await;
        assert_eq!(code(refused), "RESULT_SIGNATURE");
    }
    assert_eq!(recorded(&bench).await, 0);
}

#[tokio::test]
async fn a_round_that_was_not_dispatched_to_the_site_does_not_exist_for_it() {
    let (bench, locked, site, _) = round().await;
    let outsider = bench.enrol("site-z").await;
    let not_asked = bench.submit(&outsider, vetted(&locked, &outsider, &large())).await;
    let mut elsewhere = vetted(&locked, &site, &large());
    elsewhere.header.round = "chest-r9".parse().unwrap();
    let no_such_round = bench.submit(&site, elsewhere).await;
    let (not_asked, no_such_round) = (not_asked.unwrap_err(), no_such_round.unwrap_err());
    assert_eq!(not_asked.to_string(), no_such_round.to_string());
    assert_eq!(code::<(), _>(Err(not_asked)), "ROUND_NOT_FOUND");
}

#[tokio::test]
async fn a_result_about_another_protocol_model_or_study_is_refused() {
    let (bench, locked, site, _) = round().await;
    let other = Sha256Digest::of(b"other");
    let changes: [fn(&mut SiteResult, Sha256Digest); 3] = [
        |result, other| result.header.protocol.0 = other,
        |result, other| result.header.model.0 = other,
        |result, _| result.header.study = "knee".parse().unwrap(),
    ];
    for change in changes {
        let mut result = vetted(&locked, &site, &large());
        change(&mut result, other);
        assert_eq!(code(bench.submit(&site, result).await), "NOT_WHAT_WAS_ASKED");
    }
}

#[tokio::test]
async fn a_closed_round_takes_no_first_result() {
    let (bench, locked, site, _) = round().await;
    bench.coordinator.study_close(&chest()).await.unwrap();
    let late = bench.submit(&site, vetted(&locked, &site, &large())).await;
    assert_eq!(code(late), "ROUND_CLOSED");
}

#[tokio::test]
async fn a_site_enrolled_anew_hands_in_under_its_new_key() {
    let (bench, locked, old, _) = round().await;
    bench.coordinator.store().site_revoke(&old.id).await.unwrap();
    let new = bench.enrol("site-a").await;
    let result = vetted(&locked, &new, &large());
    assert_eq!(code(bench.submit(&old, result.clone()).await), "RESULT_SIGNATURE");
    assert!(bench.submit(&new, result).await.is_ok());
    let row = bench.coordinator.store().site_find(&new.id).await.unwrap().unwrap();
    assert_eq!(row.state, SiteState::Enrolled);
}

fn attrition(reason: FailureReason, patients: u64) -> AttritionCount {
    AttritionCount { reason, patients: Cell::Released(patients) }
}

/// What the coordinator says to a result after `change`.
async fn contradiction(change: impl FnOnce(&mut Release)) -> String {
    let (bench, locked, site, _) = round().await;
    let mut result = vetted(&locked, &site, &large());
    change(release_of(&mut result));
    let refused = bench.submit(&site, result).await.unwrap_err();
    assert_eq!(recorded(&bench).await, 0);
    let text = refused.to_string();
    assert_eq!(code::<(), _>(Err(refused)), "RESULT_CONTRADICTION");
    text
}

#[tokio::test]
async fn counts_that_do_not_add_up_are_refused() {
    let changes: [fn(&mut Performance); 7] = [
        |p| p.operating_points[0].counts.tp += 1,
        |p| p.operating_points[1].counts.tn -= 1,
        |p| p.probabilities.events += 1,
        |p| p.ranks.doubled_u += 1,
        |p| p.ranks.n_pos += 1,
        |p| p.patients.total += 1,
        |p| p.brier_clusters.total += 2,
    ];
    for change in changes {
        contradiction(|release| change(&mut release.overall)).await;
    }
    contradiction(|release| {
        let Cell::Released(performance) = &mut release.subgroups[0].performance else {
            panic!("scanner a is large enough")
        };
        performance.operating_points[0].counts.fp += 1;
    })
    .await;
}

#[tokio::test]
async fn subgroups_larger_than_the_whole_are_refused() {
    let text = contradiction(|release| {
        let larger = performance(&cases(1, &[group("c", 60, 90)]), &protocol());
        release.subgroups[2].performance = Cell::Released(larger);
    })
    .await;
    assert!(text.contains("part of the whole"), "{text}");
}

#[tokio::test]
async fn a_site_may_tighten_the_floor_and_not_loosen_it() {
    let text = contradiction(|release| release.terms.k = 10).await;
    assert!(text.contains("floor"), "{text}");
    let (bench, locked, site, _) = round().await;
    let mut stricter = vetted(&locked, &site, &large());
    release_of(&mut stricter).terms.k = 20;
    assert!(bench.submit(&site, stricter).await.is_ok());
}

#[tokio::test]
async fn a_table_of_fewer_than_k_patients_is_not_taken_in() {
    contradiction(|release| {
        let small = performance(&cases(1, &[group("c", 3, 9)]), &protocol());
        release.subgroups[2].performance = Cell::Released(small);
    })
    .await;
    contradiction(|release| release.attrition = vec![attrition(FailureReason::Other, 10)]).await;
    contradiction(|release| {
        release.overall = performance(&cases(1, &[group("a", 10, 50)]), &protocol());
        for cell in &mut release.subgroups {
            cell.performance = Cell::Suppressed;
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_protocol_does_not_name_is_refused() {
    contradiction(|release| release.overall.operating_points[0].name = "max".parse().unwrap())
        .await;
    contradiction(|release| drop(release.overall.operating_points.pop())).await;
    contradiction(|release| release.subgroups[0].category = "d".parse().unwrap()).await;
    contradiction(|release| drop(release.subgroups.pop())).await;
    contradiction(|release| release.subgroups.swap(0, 1)).await;
    let twice = vec![attrition(FailureReason::WrongSize, 20); 2];
    contradiction(|release| release.attrition = twice).await;
}

#[tokio::test]
async fn a_number_that_json_cannot_carry_is_refused() {
    let (bench, locked, site, _) = round().await;
    let mut result = vetted(&locked, &site, &large());
    let signature = sign(&site, &result);
    release_of(&mut result).attrition = vec![attrition(FailureReason::Other, 1 << 53)];
    let refused = bench.coordinator.result_submit(&site.id, result, signature, 0).await;
    assert_eq!(code(refused), "RESULT_OUT_OF_RANGE");
}

#[tokio::test]
async fn repeated_images_are_accepted_with_their_sums_by_patient_and_not_without() {
    let (bench, locked, site, _) = round().await;
    let repeated = Group { scanner: "a", positives: 30, negatives: 40, images: 3 };
    let result = vetted(&locked, &site, &cases(2, &[repeated]));
    let mut without = result.clone();
    release_of(&mut without).overall.rank_clusters = None;
    assert_eq!(code(bench.submit(&site, without).await), "RESULT_CONTRADICTION");
    let mut without = result.clone();
    release_of(&mut without).overall.operating_points[0].sensitivity_clusters = None;
    assert_eq!(code(bench.submit(&site, without).await), "RESULT_CONTRADICTION");
    assert!(bench.submit(&site, result).await.is_ok());
}
