//! What every store must do, whatever database it uses: one resource a file.
//!
//! A backend runs the suite with `suite!(open)`, where `open` gives a fresh store. A function that
//! is missing in the list below is dead code, which the lints refuse.

pub(crate) mod change;
pub(crate) mod credential;
pub(crate) mod dispatch;
pub(crate) mod electronic_signature;
pub(crate) mod invitation;
pub(crate) mod lease;
pub(crate) mod log;
pub(crate) mod person;
pub(crate) mod result;
pub(crate) mod round;
#[path = "../support/rows.rs"]
mod rows;
pub(crate) mod session;
pub(crate) mod site;
pub(crate) mod snapshot;
pub(crate) mod study;

pub(crate) use rows::*;

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
            person: a_person_is_found_by_key_and_replaced_by_name,
            person: of_many_keys_put_at_once_one_works,
            person: a_person_has_one_role_and_is_forgotten_once,
            credential: a_password_belongs_to_somebody_who_is_there,
            credential: tries_are_counted_in_a_window_that_ends,
            credential: of_many_tries_at_once_no_more_are_counted_than_may_be,
            credential: of_many_new_passwords_at_once_one_stands,
            credential: a_pass_ends_with_its_time_its_holder_or_a_new_password,
            credential: another_key_ends_the_password_and_another_role_the_passes,
            credential: links_to_a_study_end_together,
            electronic_signature: signatures_stand_in_order_of_time_one_of_each_meaning,
            electronic_signature: of_many_who_sign_alike_at_once_one_does,
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
            study: a_version_follows_the_one_in_force_and_none_other,
            study: nothing_is_amended_while_a_round_is_open,
            study: a_round_and_an_amendment_never_both_win,
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
            log: an_entry_is_appended_once_and_stays_where_it_is,
            log: of_many_who_append_at_once_no_entry_is_lost_or_doubled,
            log: whoever_reads_the_log_while_it_grows_sees_no_gap,
            log: the_longest_state_that_a_site_signed_is_kept,
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
