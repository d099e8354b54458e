//! Histories that once broke a promise, or that show one best. Each is what shrinking left of it.

use fedval_vault::JobState;

use crate::op::Op::{
    Advance, Answer, Backup, Connect, Cut, Dispatch, Evaluate, Hear, Impostor, Jump, KillAnswering,
    Look, LoseRequest, LoseResponse, Restore, Tell,
};
use crate::world::World;
use crate::{alone, checks, live, run};

/// Site 0 comes as far as holding released bytes.
const UP_TO_RELEASE: [crate::op::Op; 9] =
    [Dispatch, Connect(0), Hear(0), Hear(0), Answer(0), Tell(0), Hear(0), Evaluate(0), Answer(0)];

fn after_release(rest: &[crate::op::Op]) {
    run(&[&UP_TO_RELEASE[..], rest].concat());
}

#[test]
fn nothing_happens_and_the_report_is_the_same_whenever_it_is_built() {
    alone(async {
        let world = live(&[Dispatch]).await;
        checks::report_is_repeatable(&world).await;
    });
}

#[test]
fn the_answer_to_a_result_is_lost() {
    after_release(&[LoseResponse(0), Answer(0), Cut(0, false)]);
}

#[test]
fn the_result_is_lost_on_its_way() {
    after_release(&[LoseRequest(0), Answer(0)]);
}

#[test]
fn an_agent_is_killed_between_sending_and_noting_that_it_sent() {
    for steps in (0..40).step_by(4) {
        after_release(&[KillAnswering(0, steps)]);
    }
}

#[test]
fn the_coordinator_forgets_a_result_it_acknowledged() {
    after_release(&[Backup, Answer(0), Restore]);
}

#[test]
fn the_coordinator_forgets_a_round_while_its_answer_is_on_the_way() {
    run(&[&[Backup], &UP_TO_RELEASE[..], &[Restore, Connect(0), Tell(0), Hear(0), Answer(0)]]
        .concat());
}

#[test]
fn a_copy_of_the_agent_takes_the_site_over_and_goes_silent() {
    after_release(&[Impostor(0, true), Answer(0), Advance(300), Look(0), Answer(0)]);
}

#[test]
fn an_order_that_was_not_valid_yet_by_a_wrong_clock_is_taken_once_the_clock_is_right() {
    const ELEVEN_DAYS: i32 = 11 * 86_400;
    run(&[Dispatch, Jump(-ELEVEN_DAYS), Connect(0), Hear(0), Hear(0), Jump(ELEVEN_DAYS)]);
}

#[test]
fn a_protocol_whose_download_was_lost_is_fetched_again() {
    run(&[Dispatch, LoseRequest(0), Connect(0), Hear(0), Hear(0)]);
}

#[test]
fn a_site_that_evaluates_between_two_looks_holds_a_lease_before_it_answers() {
    const QUEUED: [crate::op::Op; 5] = [Dispatch, Connect(0), Hear(0), Hear(0), Tell(0)];
    alone(async {
        let mut world = World::new().await;
        for op in QUEUED.iter().chain(&[Answer(0), Evaluate(0), Tell(0), Hear(0)]) {
            world.apply(op).await;
        }
        let job = world.sites[0].agent().vault().job_list().await.unwrap().remove(0);
        assert_eq!(job.state, JobState::AwaitingRelease);
        assert_ne!(job.lease_epoch, 0);
    });
}
