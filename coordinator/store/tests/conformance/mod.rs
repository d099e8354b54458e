//! What every store must do, whatever database it uses: one resource a file.
//!
//! A backend runs the suite with `suite!(open)`, where `open` gives a fresh store. A function that
//! is missing in the list below is dead code, which the lints refuse.

pub(crate) mod operator;
pub(crate) mod result;
pub(crate) mod round;
pub(crate) mod site;
pub(crate) mod study;

use std::sync::Arc;

use fedval_ambient::Timestamp;
use fedval_core::Store;
use fedval_core::port::{DispatchRow, RoundRow, StoredResult};
use fedval_study::{ResultDigest, Sha256Digest, SiteId, StudyId};
use fedval_trust::{Endorsement, PublicKey, Signature};
use tokio::sync::Barrier;

/// Callers that race for one thing.
pub(crate) const CALLERS: u8 = 8;

/// One test for each function of the suite, each over a store of its own.
macro_rules! suite {
    ($open:path) => {
        suite! { $open;
            site: an_invitation_works_until_it_expires_and_for_its_token_alone,
            site: a_new_invitation_replaces_the_pending_one,
            site: an_invitation_is_redeemed_once,
            site: an_expired_invitation_is_not_redeemed,
            site: of_many_who_race_for_one_invitation_exactly_one_wins,
            site: a_key_belongs_to_one_site,
            site: a_revoked_site_is_known_and_its_key_works_no_more,
            site: a_revoked_site_enrols_again_with_a_new_invitation,
            site: sites_are_listed_in_order,
            operator: an_operator_is_found_by_key_and_replaced_by_name,
            study: a_draft_is_replaced_until_it_is_locked,
            study: only_the_bytes_that_were_signed_are_locked,
            study: of_many_who_lock_exactly_one_wins,
            study: a_draft_that_races_with_a_lock_never_changes_what_was_locked,
            study: studies_are_listed_in_order,
            round: a_study_has_one_open_round,
            round: of_many_who_open_a_round_exactly_one_wins,
            round: a_round_is_closed_once,
            round: a_site_is_asked_once_in_a_round,
            round: of_many_who_dispatch_to_one_site_exactly_one_wins,
            round: what_waits_for_a_site_is_open_and_unanswered,
            round: every_phase_is_kept,
            round: leases_rise_and_extend_together,
            round: of_many_who_lease_each_gets_an_epoch_of_its_own,
            result: a_result_stands_for_good,
            result: a_closed_round_takes_no_result_but_acknowledges_the_recorded_one,
            result: of_many_who_hand_in_the_same_result_one_is_new,
            result: of_many_who_hand_in_different_results_one_stands,
            result: a_result_that_races_with_the_close_is_recorded_or_refused,
            result: results_are_listed_in_order_of_sites,
        }
    };
    ($open:path; $($resource:ident: $name:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let opened = $open().await;
                conformance::$resource::$name(opened.store.clone()).await;
            }
        )+
    };
}
pub(crate) use suite;

/// A moment, in seconds after an arbitrary one.
pub(crate) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_000_000_000_000).plus_seconds(seconds)
}

pub(crate) fn site_id(name: &str) -> SiteId {
    name.parse().unwrap()
}

pub(crate) fn study_id(name: &str) -> StudyId {
    name.parse().unwrap()
}

pub(crate) fn token(text: &str) -> Sha256Digest {
    Sha256Digest::of(text.as_bytes())
}

/// A key that nobody holds: stores compare keys, they do not use them.
pub(crate) const fn key(number: u8) -> PublicKey {
    PublicKey::from_bytes([number; 32])
}

pub(crate) fn endorsement(number: u8) -> Endorsement {
    Endorsement {
        certificate: format!("certificate {number}"),
        signature: Signature::try_from(&[number; 64][..]).unwrap(),
    }
}

/// Calls `call` from several tasks at once, with the caller's number.
pub(crate) async fn race<T, F, R>(call: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(u8) -> R,
    R: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(CALLERS.into()));
    let tasks: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (start, called) = (Arc::clone(&start), call(caller));
            tokio::spawn(async move {
                start.wait().await;
                called.await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("no caller panics"));
    }
    answers
}

/// How many of `answers` are `true`.
pub(crate) fn winners(answers: &[bool]) -> usize {
    answers.iter().filter(|won| **won).count()
}

/// Enrols a site under key `number`.
pub(crate) async fn enrolled(store: &dyn Store, name: &str, number: u8) -> SiteId {
    let site = site_id(name);
    let hash = token(&format!("{name} {number}"));
    store.invitation_insert(&site, &hash, at(60)).await.unwrap();
    let certificate = format!("certificate {number}");
    assert!(store.invitation_redeem(&hash, at(0), &key(number), &certificate).await.unwrap());
    site
}

pub(crate) async fn locked(store: &dyn Store, name: &str) -> StudyId {
    let study = study_id(name);
    store.study_put_draft(&study, b"protocol").await.unwrap();
    assert!(store.study_lock(&study, b"protocol", &[endorsement(1)]).await.unwrap());
    study
}

pub(crate) fn round_row(study: &StudyId, number: u32) -> RoundRow {
    RoundRow {
        round: format!("{study}-r{number}").parse().unwrap(),
        study: study.clone(),
        number,
        opened_at: at(i64::from(number)),
        closed_at: None,
    }
}

pub(crate) async fn opened(store: &dyn Store, study: &StudyId, number: u32) -> RoundRow {
    let round = round_row(study, number);
    assert!(store.round_open(&round).await.unwrap());
    round
}

pub(crate) fn dispatch_row(round: &RoundRow, site: &SiteId) -> DispatchRow {
    DispatchRow {
        round: round.round.clone(),
        site: site.clone(),
        dispatch: format!("order for {site}").into_bytes(),
        endorsement: endorsement(2),
        dispatched_at: at(10),
        phase: None,
        lease_epoch: 0,
        lease_ends_at: None,
    }
}

/// A round that was dispatched to `sites`, which it enrols.
pub(crate) async fn dispatched(store: &dyn Store, sites: &[&str]) -> (RoundRow, Vec<SiteId>) {
    let study = locked(store, "chest").await;
    let round = opened(store, &study, 1).await;
    let mut asked = Vec::new();
    for (number, name) in (10..).zip(sites) {
        let site = enrolled(store, name, number).await;
        assert!(store.dispatch_insert(&dispatch_row(&round, &site)).await.unwrap());
        asked.push(site);
    }
    (round, asked)
}

pub(crate) fn stored_result(round: &RoundRow, site: &SiteId, text: &str) -> StoredResult {
    StoredResult {
        round: round.round.clone(),
        site: site.clone(),
        bytes: text.as_bytes().to_vec(),
        digest: ResultDigest(Sha256Digest::of(text.as_bytes())),
        endorsement: endorsement(3),
        recorded_at: at(100),
    }
}
