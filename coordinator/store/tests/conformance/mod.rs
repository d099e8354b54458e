//! What every store must do, whatever database it uses: one resource a file.
//!
//! A backend runs the suite with `suite!(open)`, where `open` gives a fresh store. A function that
//! is missing in the list below is dead code, which the lints refuse.

pub(crate) mod change;
pub(crate) mod dispatch;
pub(crate) mod invitation;
pub(crate) mod lease;
pub(crate) mod operator;
pub(crate) mod result;
pub(crate) mod round;
pub(crate) mod session;
pub(crate) mod site;
pub(crate) mod snapshot;
pub(crate) mod study;

use std::sync::Arc;

use fedval_ambient::Timestamp;
use fedval_core::Store;
use fedval_core::port::{
    DispatchRow, InstanceId, InvitationId, NewInvitation, NewSession, RoundRow, SessionOpened,
    StoredResult,
};
use fedval_store::SqlStore;
use fedval_study::{ResultDigest, Sha256Digest, SiteId, StudyId};
use fedval_trust::{Endorsement, PublicKey, Signature};
use tempfile::TempDir;
use tokio::sync::Barrier;

/// Callers that race for one thing.
pub(crate) const CALLERS: u8 = 8;

/// One test for each function of the suite, each over a store of its own.
macro_rules! suite {
    ($open:path) => {
        suite! { $open;
            invitation: an_invitation_is_found_by_its_name_alone,
            invitation: a_new_invitation_replaces_the_pending_one,
            invitation: of_many_invitations_of_one_site_at_once_one_is_pending,
            invitation: an_invitation_is_redeemed_once,
            invitation: an_expired_invitation_is_not_redeemed,
            invitation: too_many_wrong_tries_lock_an_invitation,
            invitation: wrong_tries_at_once_are_all_counted,
            invitation: of_many_who_race_for_one_invitation_exactly_one_wins,
            invitation: a_redemption_that_races_with_wrong_tries_wins_or_finds_it_locked,
            invitation: a_redemption_that_races_with_a_revocation_leaves_no_working_key,
            invitation: whoever_reads_during_an_enrolment_sees_it_whole,
            site: a_key_belongs_to_one_site,
            site: a_revoked_site_is_known_and_its_key_works_no_more,
            site: a_revoked_site_enrols_again_with_a_new_invitation,
            site: sites_are_listed_in_order,
            site: a_certificate_is_renewed_for_the_key_that_enrolled,
            site: of_many_renewals_at_once_one_stands,
            site: a_renewal_that_races_with_a_revocation_revives_nothing,
            site: many_who_revoke_one_site_all_find_it_revoked,
            operator: an_operator_is_found_by_key_and_replaced_by_name,
            operator: of_many_keys_put_at_once_one_works,
            session: the_first_session_is_granted_and_epochs_rise,
            session: another_process_waits_until_the_session_ran_out,
            session: a_session_from_a_clock_that_jumped_has_run_out,
            session: a_restarted_process_takes_over_at_once,
            session: an_ended_session_makes_room,
            session: only_the_current_session_is_extended,
            session: a_revocation_ends_the_session,
            session: of_many_processes_that_connect_at_once_exactly_one_is_granted,
            session: one_process_that_connects_many_times_gets_an_epoch_for_each,
            session: extending_and_ending_race_with_a_takeover_and_only_one_is_current,
            study: a_draft_is_replaced_until_it_is_locked,
            study: only_the_bytes_that_were_signed_are_locked,
            study: of_many_who_lock_exactly_one_wins,
            study: a_draft_that_races_with_a_lock_never_changes_what_was_locked,
            study: whoever_reads_during_a_lock_sees_it_whole,
            study: studies_are_listed_in_order,
            round: a_study_has_one_open_round,
            round: of_many_who_open_a_round_exactly_one_wins,
            round: a_round_is_closed_once,
            round: a_deadline_is_set_while_the_round_is_open,
            round: of_many_deadlines_at_once_one_stands,
            round: whoever_reads_during_a_close_never_sees_it_open_again,
            dispatch: a_site_is_asked_once_in_a_round,
            dispatch: many_are_recorded_at_once_and_the_new_ones_counted,
            dispatch: a_closed_round_takes_no_dispatch,
            dispatch: a_batch_with_a_site_that_is_unknown_records_nothing,
            dispatch: of_many_who_dispatch_to_one_site_exactly_one_wins,
            dispatch: batches_that_overlap_record_each_site_once,
            dispatch: a_dispatch_that_races_with_the_close_is_recorded_or_refused_whole,
            dispatch: what_waits_for_a_site_is_open_and_unanswered,
            dispatch: every_phase_is_kept,
            dispatch: of_many_phases_at_once_one_stands,
            lease: a_lease_belongs_to_the_current_session,
            lease: leases_of_a_site_are_extended_with_its_session,
            lease: a_lease_that_races_with_a_takeover_never_goes_back,
            result: a_result_stands_for_good,
            result: a_result_under_an_older_lease_is_stale_unless_it_is_there,
            result: a_closed_round_takes_no_result_but_acknowledges_the_recorded_one,
            result: of_many_who_hand_in_the_same_result_one_is_new,
            result: of_many_who_hand_in_different_results_one_stands,
            result: a_result_that_races_with_the_close_is_recorded_or_refused,
            result: a_result_that_races_with_a_later_lease_is_recorded_or_stale,
            result: whoever_reads_while_results_come_in_sees_whole_ones,
            result: results_are_listed_in_order_of_sites,
            change: dispatching_closing_and_revoking_are_changes_and_nothing_else_is,
            change: changes_at_once_are_all_counted,
            snapshot: what_was_read_is_written_and_read_again,
            snapshot: a_store_that_holds_something_is_not_overwritten,
            snapshot: of_many_who_fill_an_empty_store_exactly_one_does,
            snapshot: a_snapshot_while_others_write_shows_one_moment,
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

/// A store in a folder that lives as long as it.
pub(crate) struct Embedded {
    pub(crate) store: Arc<dyn Store>,
    #[allow(dead_code, reason = "only the embedded backend opens the file again")]
    pub(crate) folder: TempDir,
}

/// An embedded store: one backend of the suite, and where snapshots for the others come from.
pub(crate) async fn embedded() -> Embedded {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&folder.path().join("fedval.db")).await.unwrap();
    Embedded { store: Arc::new(store), folder }
}

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

/// Wrong tries that lock an invitation.
pub(crate) const MOST_WRONG: u32 = 3;

/// An invitation of a site, told from its others by `number`.
pub(crate) fn invitation(site: &str, number: u8) -> NewInvitation {
    let token_hash = Sha256Digest::of(format!("{site} {number}").as_bytes());
    let mut id = [0; 8];
    id.copy_from_slice(&token_hash.as_bytes()[..8]);
    NewInvitation {
        id: InvitationId::from_bytes(id),
        site: site_id(site),
        token_hash,
        expires_at: at(60),
    }
}

/// Redeems an invitation at moment 0 with key `number`.
pub(crate) async fn redeem(store: &dyn Store, invitation: &NewInvitation, number: u8) -> bool {
    let (key, pem) = (key(number), format!("certificate {number}"));
    store.invitation_redeem(&invitation.id, at(0), MOST_WRONG, &key, &pem).await.unwrap()
}

/// Enrols a site under key `number`.
pub(crate) async fn enrolled(store: &dyn Store, name: &str, number: u8) -> SiteId {
    let invitation = invitation(name, number);
    store.invitation_insert(&invitation).await.unwrap();
    assert!(redeem(store, &invitation, number).await);
    invitation.site
}

/// A process, by number.
pub(crate) fn instance(number: u8) -> InstanceId {
    InstanceId(Sha256Digest::of(&[number]))
}

/// A process asks at `seconds` to speak for a site, for a minute.
pub(crate) fn session(site: &SiteId, process: u8, seconds: i64) -> NewSession {
    NewSession {
        site: site.clone(),
        instance: instance(process),
        previous: None,
        now: at(seconds),
        ends_at: at(seconds + 60),
    }
}

/// Opens a session of process `process` at moment 0.
pub(crate) async fn connected(store: &dyn Store, site: &SiteId, process: u8) -> u64 {
    match store.session_open(&session(site, process, 0)).await.unwrap() {
        SessionOpened::Granted(epoch) => epoch,
        SessionOpened::HeldByAnother => panic!("another process holds {site}"),
    }
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
        deadline_at: None,
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
        assert_eq!(store.dispatch_insert(&[dispatch_row(&round, &site)]).await.unwrap(), 1);
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
