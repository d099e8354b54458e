//! Rounds: who is asked what, and when it is over.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{bench, chest, code, site_id, vetted};
use fedval_ambient::Clock as _;
use fedval_core::Heard;
use fedval_core::port::Phase;
use fedval_study::{Canonical, SiteId};
use fedval_trust::{PayloadType, Role, SignedDocument};
use support::{MODEL, large, locked};

fn ids(names: &[&str]) -> Vec<SiteId> {
    names.iter().map(|name| site_id(name)).collect()
}

#[tokio::test]
async fn a_study_is_dispatched_once_it_is_locked_and_a_site_is_enrolled() {
    let bench = bench().await;
    bench.create(&locked()).await;
    assert_eq!(code(bench.coordinator.study_dispatch(&chest(), &[], 0).await), "STUDY_NOT_LOCKED");
    bench.lock().await;
    assert_eq!(code(bench.coordinator.study_dispatch(&chest(), &[], 0).await), "NO_SITES");
    bench.coordinator.site_invite(&site_id("invited"), 24).await.unwrap();
    let site = bench.enrol("site-a").await;
    bench.enrol("revoked").await;
    bench.coordinator.store().site_revoke(&site_id("revoked")).await.unwrap();
    for name in ["unknown", "invited", "revoked"] {
        let asked = [site.id.clone(), site_id(name)];
        let refused = bench.coordinator.study_dispatch(&chest(), &asked, 0).await;
        assert_eq!(code(refused), "SITE_NOT_ENROLLED", "{name}");
    }
    assert!(bench.coordinator.store().round_list(&chest()).await.unwrap().is_empty());
    let (round, asked) = bench.coordinator.study_dispatch(&chest(), &[], 0).await.unwrap();
    assert_eq!((round.as_str(), asked), ("chest-r1", ids(&["site-a"])));
}

#[tokio::test]
async fn a_model_file_that_was_touched_stops_the_dispatch() {
    let bench = bench().await;
    let locked = bench.lock().await;
    bench.enrol("site-a").await;
    let file = bench.artifact_file(locked.protocol().model.digest.0);
    assert_eq!(std::fs::read(&file).unwrap(), MODEL);
    let mut changed = MODEL.to_vec();
    changed[3] ^= 1;
    for bytes in [&changed[..], &MODEL[1..], b""] {
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(code(bench.coordinator.study_dispatch(&chest(), &[], 0).await), "MODEL_CHANGED");
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(code(bench.coordinator.study_dispatch(&chest(), &[], 0).await), "MODEL_CHANGED");
    std::fs::write(&file, MODEL).unwrap();
    assert!(bench.coordinator.study_dispatch(&chest(), &[], 0).await.is_ok());
}

#[tokio::test]
async fn a_second_dispatch_adds_sites_to_the_open_round() {
    let bench = bench().await;
    let (_, _, first) = bench.dispatch(&["site-a"]).await;
    let store = bench.coordinator.store();
    let order = store.dispatch_find(&first, &site_id("site-a")).await.unwrap().unwrap();
    bench.clock.advance_seconds(60);
    bench.enrol("site-b").await;
    let (second, asked) = bench.coordinator.study_dispatch(&chest(), &[], 0).await.unwrap();
    assert_eq!((&second, asked), (&first, ids(&["site-a", "site-b"])));
    assert_eq!(store.dispatch_list(&first).await.unwrap().len(), 2);
    let again = store.dispatch_find(&first, &site_id("site-a")).await.unwrap().unwrap();
    assert_eq!(again, order, "who was asked before is not asked anew");
}

#[tokio::test]
async fn after_a_close_comes_the_next_round() {
    let bench = bench().await;
    let (_, _, first) = bench.dispatch(&["site-a"]).await;
    let closed = bench.coordinator.study_close(&chest()).await.unwrap();
    assert_eq!((closed.round.clone(), closed.missing.clone()), (first, ids(&["site-a"])));
    let again = bench.coordinator.study_close(&chest()).await.unwrap();
    assert_eq!(again, closed, "an operator who lost the answer asks once more");
    let (second, _) = bench.coordinator.study_dispatch(&chest(), &[], 0).await.unwrap();
    assert_eq!(second.as_str(), "chest-r2");
    let rounds = bench.coordinator.study_progress(&chest()).await.unwrap().rounds;
    let closed: Vec<_> = rounds.iter().map(|(round, _)| round.closed_at.is_some()).collect();
    assert_eq!(closed, [true, false]);
}

#[tokio::test]
async fn many_dispatches_at_once_share_one_round() {
    let bench = bench().await;
    bench.lock().await;
    bench.enrol("site-a").await;
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let coordinator = bench.coordinator.clone();
            tokio::spawn(
                async move { coordinator.study_dispatch(&chest(), &[], 0).await.unwrap().0 },
            )
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().as_str(), "chest-r1");
    }
    let offers = bench.coordinator.offers_of(&site_id("site-a")).await.unwrap();
    assert_eq!(offers.len(), 1);
}

#[tokio::test]
async fn an_offer_is_signed_for_its_site_and_binds_protocol_and_model() {
    let bench = bench().await;
    let (locked, _, round) = bench.dispatch(&["site-a", "site-b"]).await;
    let [offer] = &bench.coordinator.offers_of(&site_id("site-b")).await.unwrap()[..] else {
        panic!("one offer")
    };
    let order = &offer.dispatch;
    assert_eq!((&order.round, &order.site), (&round, &site_id("site-b")));
    assert_eq!((order.protocol, order.model), (locked.digest(), locked.protocol().model.digest));
    assert_eq!(order.protocol_bytes, locked.bytes().len() as u64);
    assert_eq!(order.model_bytes, MODEL.len() as u64);
    let document =
        |payload_type, bytes, endorsements| SignedDocument { payload_type, bytes, endorsements };
    let (root, now) = (bench.coordinator.root(), bench.clock.now());
    let bytes = Canonical::new(order.clone()).unwrap().bytes().to_vec();
    let signed = document(PayloadType::Dispatch, bytes, vec![offer.endorsement.clone()]);
    assert_eq!(signed.verify(&Role::Coordinator, root, now), Ok(()));
    let protocol = document(
        PayloadType::Protocol,
        locked.bytes().to_vec(),
        offer.protocol_endorsements.clone(),
    );
    assert_eq!(protocol.verify(&Role::Sponsor, root, now), Ok(()));
    let other = bench.coordinator.offers_of(&site_id("site-a")).await.unwrap().remove(0);
    assert_ne!(other.dispatch.nonce, order.nonce);
}

#[tokio::test]
async fn an_offer_stands_until_it_is_answered_or_closed() {
    let bench = bench().await;
    let (locked, sites, _) = bench.dispatch(&["site-a", "site-b"]).await;
    let offered = async |name| bench.coordinator.offers_of(&site_id(name)).await.unwrap().len();
    assert_eq!((offered("site-a").await, offered("nobody").await), (1, 0));
    bench.submit(&sites[0], vetted(&locked, &sites[0], &large())).await.unwrap();
    assert_eq!((offered("site-a").await, offered("site-b").await), (0, 1));
    bench.coordinator.study_close(&chest()).await.unwrap();
    assert_eq!(offered("site-b").await, 0);
}

#[tokio::test]
async fn progress_shows_phases_and_results_of_every_site_asked() {
    let bench = bench().await;
    let (locked, sites, round) = bench.dispatch(&["site-a", "site-b", "site-c"]).await;
    let (mut session, _) = bench.connect(&sites[1]).await.unwrap();
    session.hear(Heard::Phase(round, Phase::Evaluating)).await.unwrap();
    let result = vetted(&locked, &sites[0], &large());
    bench.submit(&sites[0], result.clone()).await.unwrap();
    let progress = bench.coordinator.study_progress(&chest()).await.unwrap();
    assert_eq!(progress.protocol.digest(), locked.digest());
    let [(_, sites)] = &progress.rounds[..] else { panic!("one round") };
    let found: Vec<_> = sites.iter().map(|p| (p.site.as_str(), p.phase, &p.result)).collect();
    assert_eq!(
        found,
        [
            ("site-a", None, &Some(result)),
            ("site-b", Some(Phase::Evaluating), &None),
            ("site-c", None, &None),
        ]
    );
}

#[tokio::test]
async fn a_study_that_was_never_dispatched_has_no_round_to_close() {
    let bench = bench().await;
    bench.lock().await;
    assert_eq!(code(bench.coordinator.study_close(&chest()).await), "ROUND_NOT_OPEN");
}

#[tokio::test]
async fn a_deadline_is_shown_and_closes_nothing() {
    let bench = bench().await;
    let (_, _, _) = bench.dispatch(&["site-a"]).await;
    bench.coordinator.study_dispatch(&chest(), &[], 48).await.unwrap();
    let ends = bench.clock.now().plus_seconds(48 * 3600);
    bench.clock.advance_seconds(49 * 3600);
    let rounds = bench.coordinator.study_progress(&chest()).await.unwrap().rounds;
    assert_eq!((rounds[0].0.deadline_at, rounds[0].0.closed_at), (Some(ends), None));
}
