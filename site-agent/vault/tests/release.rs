//! From vetted bytes to bytes that may be sent: approval, charge and journal at once, once.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod shelf;

use fedval_ambient::Problem as _;
use fedval_disclosure::{NoAggregates, Vetted, bound_bits};
use fedval_study::{FailedStage, PolicyDigest, Sha256Digest, SiteResult};
use fedval_vault::{Approval, Event, JobState};
use shelf::{Shelf, insufficient, new_job, plain, released, round, sendable};

async fn counts(shelf: &Shelf) -> (usize, usize) {
    let ledger = shelf.vault.ledger_list().await.unwrap().len();
    (ledger, shelf.vault.journal_verify().await.unwrap().len())
}

#[tokio::test]
async fn nothing_is_sendable_before_its_commit() {
    let shelf = Shelf::with_a_job().await;
    assert_eq!(shelf.sendable().await, None);
    assert_eq!(shelf.commit(&released("chest-r1")).await, Err("NOTHING_TO_RELEASE"));
    shelf.put(&released("chest-r1")).await;
    assert_eq!(shelf.sendable().await, None);
    assert_eq!(counts(&shelf).await, (0, 0));
}

#[tokio::test]
async fn what_is_sent_are_exactly_the_approved_bytes_also_after_a_restart() {
    let shelf = Shelf::with_a_release().await;
    let approved = released("chest-r1").bytes().to_vec();
    assert_eq!(shelf.sendable().await.as_ref(), Some(&approved));
    assert_eq!(sendable(&shelf.opened_again().await).await, Some(approved));
    assert_eq!(shelf.state().await, JobState::Released);
}

#[tokio::test]
async fn an_approval_binds_to_the_bytes_that_were_looked_at() {
    let shelf = Shelf::with_a_result().await;
    let other = insufficient("chest-r1");
    assert_eq!(shelf.commit(&other).await, Err("APPROVAL_OF_OTHER_BYTES"));
    assert_eq!(counts(&shelf).await, (0, 0));
    assert_eq!((shelf.state().await, shelf.sendable().await), (JobState::AwaitingRelease, None));
}

#[tokio::test]
async fn bytes_that_were_changed_while_they_waited_are_not_committed() {
    let shelf = Shelf::with_a_result().await;
    shelf.tamper("UPDATE vetted SET result = CAST('{}' AS BLOB)").await;
    assert_eq!(shelf.commit(&released("chest-r1")).await, Err("APPROVAL_OF_OTHER_BYTES"));
    assert_eq!(counts(&shelf).await, (0, 0));
}

#[tokio::test]
async fn the_same_bytes_again_change_nothing_and_other_bytes_are_refused() {
    let shelf = Shelf::with_a_release().await;
    shelf.clock.advance_seconds(60);
    assert_eq!(shelf.commit(&released("chest-r1")).await, Ok(()));
    assert_eq!(shelf.commit(&insufficient("chest-r1")).await, Err("APPROVAL_OF_OTHER_BYTES"));
    assert_eq!(counts(&shelf).await, (1, 1));
    assert!(!shelf.put(&insufficient("chest-r1")).await);
}

#[tokio::test]
async fn two_who_release_at_once_charge_once() {
    for _ in 0..10 {
        let shelf = Shelf::with_a_result().await;
        let there = shelf.opened_again().await;
        let digest = released("chest-r1").digest();
        let policy = released("chest-r1").value().header.policy;
        let approval = |name: &str| Approval { digest, approver: name.to_owned(), policy };
        let (steward, policy, round) = (approval("dr-no"), approval("policy"), round());
        let (first, second) = tokio::join!(
            shelf.vault.release_commit(&round, &steward, shelf.now()),
            there.release_commit(&round, &policy, shelf.now())
        );
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(counts(&shelf).await, (1, 1));
    }
}

#[tokio::test]
async fn what_was_vetted_side_by_side_is_vetted_again_once_one_of_them_left() {
    let shelf = Shelf::with_a_result().await;
    let (first, second) = (released("chest-r1"), released("chest-r2"));
    assert!(shelf.vault.job_insert(&new_job("chest-r2"), shelf.now()).await.unwrap());
    assert!(shelf.put(&second).await);
    assert_eq!(shelf.commit(&first).await, Ok(()));
    assert_eq!(shelf.commit(&second).await, Err("RESULT_STALE"));
    let round = "chest-r2".parse().unwrap();
    assert_eq!(shelf.job(&round).await.state, JobState::Approved);
    assert_eq!(counts(&shelf).await, (1, 1));
    assert_eq!(shelf.commit(&second).await, Err("NOTHING_TO_RELEASE"));
}

#[tokio::test]
async fn what_was_vetted_under_another_policy_is_vetted_again() {
    let shelf = Shelf::with_a_result().await;
    let vetted = released("chest-r1");
    let policy = Some(PolicyDigest(Sha256Digest::of(b"signed since")));
    let approval = Approval { policy, ..shelf::approval(&vetted) };
    let error = shelf.vault.release_commit(&round(), &approval, shelf.now()).await.unwrap_err();
    assert_eq!((error.code(), shelf.state().await), ("RESULT_STALE", JobState::Approved));
}

#[tokio::test]
async fn ledger_and_journal_say_what_was_told_to_whom_by_whom() {
    let shelf = Shelf::with_a_release().await;
    let vetted = released("chest-r1");
    let [entry] = &shelf.vault.ledger_list().await.unwrap()[..] else { panic!("one entry") };
    let header = &vetted.value().header;
    assert_eq!((&entry.round, &entry.study), (&header.round, &header.study));
    assert_eq!(
        (entry.protocol, entry.model, entry.cohort),
        (header.protocol, header.model, header.cohort)
    );
    assert_eq!((entry.outcome.as_str(), entry.approver.as_str()), ("released", "dr-no"));
    assert_eq!((entry.bits, entry.committed_at), (bound_bits(vetted.value()), shelf.now()));
    assert_eq!((entry.question().round, entry.question().protocol), (round(), header.protocol));
    let journal = shelf.vault.journal_verify().await.unwrap();
    let footprint = vetted.footprint().unwrap();
    let expected = Event::Committed {
        round: round(),
        result: vetted.digest(),
        approver: "dr-no".to_owned(),
        bits: entry.bits,
        rho_micro: 0,
        footprint: Some(Sha256Digest::of(&footprint.open_on_site().to_bytes())),
    };
    assert_eq!(entry.footprint().unwrap().as_ref(), Some(footprint));
    assert_eq!(journal[0].event, expected);
}

#[tokio::test]
async fn a_result_of_a_cancelled_job_is_not_released() {
    let shelf = Shelf::with_a_result().await;
    shelf.vault.job_cancel(&round(), shelf.now()).await.unwrap();
    assert_eq!(shelf.commit(&released("chest-r1")).await, Err("NOTHING_TO_RELEASE"));
    assert_eq!((counts(&shelf).await, shelf.sendable().await), ((0, 0), None));
    assert_eq!(shelf.state().await, JobState::Cancelled);
}

#[tokio::test]
async fn a_refusal_is_committed_in_any_state_before_the_answer_in_place_of_what_waited() {
    use JobState::{Approved, AwaitingRelease, Offered, Running};
    let refusal = plain("chest-r1", NoAggregates::Refused);
    for state in [Offered, Approved, Running, AwaitingRelease] {
        let shelf = Shelf::with_a_result().await;
        shelf.vault.job_move(&round(), AwaitingRelease, state, shelf.now()).await.unwrap();
        assert!(shelf.vault.refusal_commit(&refusal, "dr-no", shelf.now()).await.unwrap());
        assert_eq!(shelf.sendable().await.as_deref(), Some(refusal.bytes()));
        assert_eq!(shelf.state().await, JobState::Released);
        let shown = shelf.vault.vetted_find(&round()).await.unwrap().unwrap();
        assert_eq!(shown.digest, refusal.digest(), "a preview shows what was sent");
        assert_eq!(counts(&shelf).await, (1, 1));
        // A steward who still looks at the earlier preview cannot release it any more.
        assert_eq!(shelf.commit(&released("chest-r1")).await, Err("APPROVAL_OF_OTHER_BYTES"));
    }
}

#[tokio::test]
async fn an_answer_is_not_taken_back_by_a_refusal() {
    let shelf = Shelf::with_a_release().await;
    let refusal = plain("chest-r1", NoAggregates::Refused);
    assert!(!shelf.vault.refusal_commit(&refusal, "dr-no", shelf.now()).await.unwrap());
    assert_eq!(shelf.sendable().await.as_deref(), Some(released("chest-r1").bytes()));
}

#[tokio::test]
async fn of_a_release_and_a_refusal_at_once_one_stands_and_it_is_what_its_approver_saw() {
    for _ in 0..20 {
        let shelf = Shelf::with_a_result().await;
        let there = shelf.opened_again().await;
        let (result, refusal) = (released("chest-r1"), plain("chest-r1", NoAggregates::Refused));
        let (committed, refused) = tokio::join!(
            shelf.commit(&result),
            there.refusal_commit(&refusal, "dr-yes", shelf.now())
        );
        let refused = refused.unwrap();
        assert_eq!(refused, committed.is_err());
        let [entry] = &shelf.vault.ledger_list().await.unwrap()[..] else { panic!("one entry") };
        let stands = if refused { (&refusal, "dr-yes") } else { (&result, "dr-no") };
        assert_eq!((entry.digest, entry.approver.as_str()), (stands.0.digest(), stands.1));
    }
}

#[tokio::test]
async fn only_a_refusal_that_no_data_went_into_skips_the_steward() {
    use fedval_ambient::{Exit, Problem as _};
    let shelf = Shelf::with_a_job().await;
    let with_cohort =
        Vetted::without_aggregates(shelf::header("chest-r1"), NoAggregates::Refused, None).unwrap();
    let failed = plain("chest-r1", NoAggregates::Failed(FailedStage::Evaluation));
    for vetted in [released("chest-r1"), insufficient("chest-r1"), failed, with_cohort] {
        let error = shelf.vault.refusal_commit(&vetted, "policy", shelf.now()).await.unwrap_err();
        assert_eq!((error.code(), error.exit()), ("NOT_A_REFUSAL", Exit::Bug));
    }
    assert_eq!((shelf.state().await, counts(&shelf).await), (JobState::Offered, (0, 0)));
}

#[tokio::test]
async fn every_answer_without_aggregates_is_charged_too() {
    let answers: [Vetted<SiteResult>; 3] = [
        insufficient("chest-r1"),
        plain("chest-r2", NoAggregates::Failed(FailedStage::ModelLoad)),
        plain("chest-r3", NoAggregates::Refused),
    ];
    let shelf = Shelf::empty().await;
    for vetted in &answers {
        let name = vetted.value().header.round.as_str();
        shelf.vault.job_insert(&new_job(name), shelf.now()).await.unwrap();
        shelf.put(vetted).await;
        shelf.commit(vetted).await.unwrap();
    }
    let ledger = shelf.vault.ledger_list().await.unwrap();
    let told: Vec<&str> = ledger.iter().map(|entry| entry.outcome.as_str()).collect();
    assert_eq!(told, ["insufficient", "failed", "refused"]);
    assert!(ledger.iter().all(|entry| entry.bits > 0));
}

#[tokio::test]
async fn an_acknowledgement_is_recorded_once() {
    let shelf = Shelf::with_a_release().await;
    let digest = released("chest-r1").digest();
    for _ in 0..3 {
        shelf.vault.sent_record(&round(), digest, shelf.now()).await.unwrap();
    }
    assert_eq!(counts(&shelf).await, (1, 2));
    assert_eq!(shelf.state().await, JobState::Sent);
    assert_eq!(shelf.sendable().await.as_deref(), Some(released("chest-r1").bytes()));
}

#[tokio::test]
async fn an_acknowledgement_of_what_was_never_released_is_not_recorded() {
    let shelf = Shelf::with_a_result().await;
    let digest = released("chest-r1").digest();
    shelf.vault.sent_record(&round(), digest, shelf.now()).await.unwrap();
    assert_eq!((shelf.state().await, counts(&shelf).await), (JobState::AwaitingRelease, (0, 0)));
}
