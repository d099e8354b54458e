//! Studies: a draft until the sponsor signs it, then never changed.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{bench, certified, chest, code, signed};
use fedval_ambient::Clock as _;
use fedval_core::port::StoredArtifact;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{LockedProtocol, Sha256Digest};
use fedval_trust::{Authority, PayloadType, Role, SignedDocument};
use support::{MODEL, locked, protocol};

/// The study of the tests with another title.
fn retitled() -> LockedProtocol {
    let title = "Another title".to_owned();
    LockedProtocol::new(StudyProtocol { title, ..protocol() }).unwrap()
}

#[tokio::test]
async fn a_draft_needs_the_model_that_it_pins() {
    let bench = bench().await;
    let locked = locked();
    let other = bench.upload(b"another model").await;
    let refused = bench.coordinator.study_create(locked.bytes(), other).await;
    assert_eq!(code(refused), "MODEL_CHANGED");
    let pinned = bench.upload(MODEL).await;
    let longer = StoredArtifact { bytes: pinned.bytes + 1, ..pinned };
    assert_eq!(code(bench.coordinator.study_create(locked.bytes(), longer).await), "MODEL_CHANGED");
    assert!(bench.coordinator.study_create(locked.bytes(), pinned).await.is_ok());
}

#[tokio::test]
async fn what_is_no_canonical_protocol_is_no_draft() {
    let bench = bench().await;
    let model = bench.upload(MODEL).await;
    let locked = locked();
    let spaced = [locked.bytes(), b"\n"].concat();
    for bad in [&b"{}"[..], b"", &spaced] {
        assert_eq!(code(bench.coordinator.study_create(bad, model).await), "STUDY_INVALID");
    }
    assert!(bench.coordinator.store().study_list().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_draft_is_replaced_until_it_is_locked() {
    let bench = bench().await;
    bench.create(&retitled()).await;
    let locked = bench.lock().await;
    let row = bench.coordinator.store().study_find(&chest()).await.unwrap().unwrap();
    assert_eq!((row.locked[0].protocol.as_slice(), row.draft), (locked.bytes(), None));
    let model = bench.upload(MODEL).await;
    let refused = bench.coordinator.study_create(retitled().bytes(), model).await;
    assert_eq!(code(refused), "STUDY_LOCKED");
}

#[tokio::test]
async fn a_locked_study_bears_both_signatures_and_can_be_fetched_by_its_digest() {
    let bench = bench().await;
    let locked = bench.lock().await;
    let row = bench.coordinator.store().study_find(&chest()).await.unwrap().unwrap();
    let document = SignedDocument {
        payload_type: PayloadType::Protocol,
        bytes: row.locked[0].protocol.clone(),
        endorsements: row.locked[0].endorsements.clone(),
    };
    for role in [Role::Sponsor, Role::Coordinator] {
        assert_eq!(document.verify(&role, bench.coordinator.root(), bench.clock.now()), Ok(()));
    }
    let stored = bench.coordinator.artifacts().artifact_read(&locked.digest().0, 0, u64::MAX).await;
    assert_eq!(stored.unwrap(), locked.bytes());
}

#[tokio::test]
async fn locking_the_same_bytes_again_changes_nothing() {
    let bench = bench().await;
    let locked = bench.lock().await;
    let before = bench.coordinator.store().study_find(&chest()).await.unwrap();
    let again = signed(&locked, &bench.sponsor);
    assert!(bench.coordinator.study_lock(&chest(), locked.digest().0, again).await.is_ok());
    assert_eq!(bench.coordinator.store().study_find(&chest()).await.unwrap(), before);
}

#[tokio::test]
async fn bytes_other_than_the_sponsor_signed_are_not_locked() {
    let bench = bench().await;
    let (seen, replaced) = (locked(), retitled());
    bench.create(&seen).await;
    let sponsor = signed(&seen, &bench.sponsor);
    bench.create(&replaced).await;
    let by_digest = bench.coordinator.study_lock(&chest(), seen.digest().0, sponsor.clone()).await;
    assert_eq!(code(by_digest), "DRAFT_CHANGED");
    let by_signature = bench.coordinator.study_lock(&chest(), replaced.digest().0, sponsor).await;
    assert_eq!(code(by_signature), "SPONSOR_SIGNATURE");
    let row = bench.coordinator.store().study_find(&chest()).await.unwrap().unwrap();
    assert!(row.in_force().is_none());
}

#[tokio::test]
async fn only_the_sponsor_of_this_consortium_locks() {
    let bench = bench().await;
    let locked = locked();
    bench.create(&locked).await;
    let elsewhere = Authority::create(&bench.clock, bench.entropy.as_ref()).unwrap();
    let foreign = certified(&elsewhere, &Role::Sponsor, &bench.clock, &bench.entropy);
    let site = bench.enrol("site-a").await;
    for signer in [foreign, (site.key, site.certificate)] {
        let endorsement = signed(&locked, &signer);
        let refused = bench.coordinator.study_lock(&chest(), locked.digest().0, endorsement).await;
        assert_eq!(code(refused), "SPONSOR_SIGNATURE");
    }
    bench.clock.advance_seconds(901 * 24 * 3600);
    let expired = signed(&locked, &bench.sponsor);
    let refused = bench.coordinator.study_lock(&chest(), locked.digest().0, expired).await;
    assert_eq!(code(refused), "SPONSOR_SIGNATURE");
}

#[tokio::test]
async fn a_study_that_does_not_exist_is_neither_locked_nor_told_of() {
    let bench = bench().await;
    let sponsor = signed(&locked(), &bench.sponsor);
    let refused = bench.coordinator.study_lock(&chest(), Sha256Digest::of(b""), sponsor).await;
    assert_eq!(code(refused), "STUDY_NOT_FOUND");
    assert_eq!(code(bench.coordinator.study_progress(&chest()).await), "STUDY_NOT_FOUND");
    assert_eq!(code(bench.coordinator.report_build(&chest()).await), "STUDY_NOT_FOUND");
    assert_eq!(code(bench.coordinator.study_dispatch(&chest(), &[], 0).await), "STUDY_NOT_FOUND");
}

/// The version that amends `before`, with another title.
fn amended(before: &LockedProtocol) -> LockedProtocol {
    let title = "A better title".to_owned();
    let plan = StudyProtocol { title, ..protocol() };
    LockedProtocol::new(plan.amending(before, "the title misled readers")).unwrap()
}

#[tokio::test]
async fn an_amendment_takes_the_place_of_what_it_amends_once_it_is_locked() {
    let bench = bench().await;
    let first = bench.lock().await;
    let second = amended(&first);
    bench.create(&second).await;
    let progress = bench.coordinator.study_progress(&chest()).await.unwrap();
    assert_eq!(progress.protocol, first, "a draft binds nobody");
    let sponsor = signed(&second, &bench.sponsor);
    bench.coordinator.study_lock(&chest(), second.digest().0, sponsor).await.unwrap();
    let progress = bench.coordinator.study_progress(&chest()).await.unwrap();
    assert_eq!(progress.protocol, second);
    // The first version cannot come back, nor be amended a second time.
    let model = bench.upload(MODEL).await;
    let twin = LockedProtocol::new(protocol().amending(&first, "another reason")).unwrap();
    for (draft, expected) in [(&first, "STUDY_LOCKED"), (&twin, "AMENDMENT_OUT_OF_DATE")] {
        assert_eq!(code(bench.coordinator.study_create(draft.bytes(), model).await), expected);
    }
}

#[tokio::test]
async fn what_was_never_locked_is_not_amended() {
    let bench = bench().await;
    let model = bench.upload(MODEL).await;
    let refused = bench.coordinator.study_create(amended(&locked()).bytes(), model).await;
    assert_eq!(code(refused), "AMENDMENT_OUT_OF_DATE");
}

#[tokio::test]
async fn a_round_keeps_the_protocol_that_it_was_opened_under() {
    let bench = bench().await;
    let first = bench.lock().await;
    bench.enrol("site-a").await;
    bench.coordinator.study_dispatch(&chest(), &[], 0).await.unwrap();
    let second = amended(&first);
    bench.create(&second).await;
    let lock = async || {
        let sponsor = signed(&second, &bench.sponsor);
        bench.coordinator.study_lock(&chest(), second.digest().0, sponsor).await
    };
    assert_eq!(code(lock().await), "AMENDMENT_ROUND_OPEN");
    bench.coordinator.study_close(&chest()).await.unwrap();
    lock().await.unwrap();
    // The report of the round that was is still that of the first version.
    let package = bench.coordinator.report_build(&chest()).await.unwrap();
    assert_eq!(package.files()["evidence/protocol.json"], first.bytes());
    bench.coordinator.study_dispatch(&chest(), &[], 0).await.unwrap();
    let offers = bench.coordinator.offers_of(&"site-a".parse().unwrap()).await.unwrap();
    assert_eq!(offers[0].dispatch.protocol, second.digest());
    bench.coordinator.study_close(&chest()).await.unwrap();
    let package = bench.coordinator.report_build(&chest()).await.unwrap();
    assert_eq!(package.files()["evidence/protocol.json"], second.bytes());
    assert_eq!(package.files()["evidence/earlier-protocols/version-1.json"], first.bytes());
}
