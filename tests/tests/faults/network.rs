//! A network that loses answers, cuts, resets and goes away.

use std::thread::sleep;
use std::time::Duration;

use fedval_tests::consortium::until;

use crate::all;
use crate::template::{Plan, STUDY, Template};

const KIB: u64 = 1024;

fn held_back() -> Template {
    Template::make(Plan { releases: false, ..Plan::default() })
}

#[test]
fn f05_a_result_whose_acknowledgement_was_lost_is_sent_again_and_counts_once() {
    let template = held_back();
    let mut scene = template.scene();
    let network = scene.network();
    scene.waits_for_its_steward();
    // An answer is sent under a lease, and the lease is an answer, too.
    scene.sites[0].until_log("lease granted");
    network.swallow_answers();
    scene.sites[0].release();
    until("the coordinator holds the result", || scene.has_answer_of("site-a").then_some(()));
    assert_eq!(scene.sites[0].state(), "released", "the agent does not know");
    network.mend();
    assert!(network.swallowed() > 0);
    scene.ends_undisturbed();
}

#[test]
fn f05_an_agent_killed_before_it_stored_the_acknowledgement_sends_again() {
    let template = held_back();
    let mut scene = template.scene();
    let network = scene.network();
    scene.waits_for_its_steward();
    // An answer is sent under a lease, and the lease is an answer, too.
    scene.sites[0].until_log("lease granted");
    network.swallow_answers();
    scene.sites[0].release();
    until("the coordinator holds the result", || scene.has_answer_of("site-a").then_some(()));
    scene.site().kill();
    network.mend();
    scene.site().run();
    scene.ends_undisturbed();
}

#[test]
fn f06_a_download_that_is_cut_goes_on_where_it_was() {
    let size = 4 * 1024 * KIB;
    let padding = usize::try_from(size).unwrap();
    let template = Template::make(Plan { padding, ..Plan::default() });
    let mut scene = template.scene();
    let network = scene.network();
    scene.serve();
    // The first two connections end within the model; then nothing is reached for a while.
    network.reset_after(3 * size / 8);
    scene.site().run();
    until("three eighths passed", || (network.passed() >= 3 * size / 8).then_some(()));
    until("six eighths passed", || (network.passed() >= 6 * size / 8).then_some(()));
    network.part();
    // In the midst of a third connection, or at its first byte.
    scene.sites[0].until_log_has_any(&["COORDINATOR_UNREACHABLE", "TLS_CUT"]);
    network.mend();
    scene.sites[0].until("sent");
    assert!(network.passed() < 2 * size, "{} bytes for {size}", network.passed());
    scene.ends_undisturbed();
}

#[test]
fn f07_a_result_waits_for_a_coordinator_that_is_not_there() {
    let template = held_back();
    let mut scene = template.scene();
    let network = scene.network();
    scene.waits_for_its_steward();
    network.part();
    scene.sites[0].release();
    scene.sites[0].until_log("COORDINATOR_UNREACHABLE");
    // Not a day, but restarts on both sides, which are all that a day adds.
    scene.site().kill();
    scene.site().run();
    scene.stop();
    scene.serve();
    assert_eq!(scene.sites[0].state(), "released");
    assert!(!scene.has_answer_of("site-a"));
    network.mend();
    scene.ends_undisturbed();
}

#[test]
fn an_answer_that_comes_after_the_round_was_closed_stays_charged_and_says_why() {
    let template = held_back();
    let mut scene = template.scene();
    let network = scene.network();
    scene.waits_for_its_steward();
    network.part();
    scene.sites[0].release();
    let closed = scene.fedval(&["study", "close", STUDY]);
    assert_eq!(closed.code, 0, "{}", closed.err);
    network.mend();
    let site = &scene.sites[0];
    until("the steward sees why", || (site.delay() == "ROUND_CLOSED").then_some(()));
    assert_eq!(site.state(), "released");
    site.is_in_order();
    assert!(!scene.has_answer_of("site-a"));
}

#[test]
fn f08_answers_that_never_come_back_are_waited_for_no_longer_than_a_while() {
    let template = held_back();
    let mut scene = template.scene();
    let network = scene.network();
    scene.waits_for_its_steward();
    // An answer is sent under a lease, and the lease is an answer, too.
    scene.sites[0].until_log("lease granted");
    network.swallow_answers();
    scene.sites[0].release();
    until("the coordinator holds the result", || scene.has_answer_of("site-a").then_some(()));
    if all() {
        // The agent itself gives the connection up: by then it is longer than it waits for an answer.
        scene.sites[0].until_log("coordinator connection ended");
        sleep(Duration::from_secs(130));
        assert_eq!(scene.sites[0].state(), "released");
    } else {
        // In place of the agent's own patience, a minute, the network cuts again and again.
        for _ in 0..3 {
            sleep(Duration::from_secs(1));
            network.cut();
        }
    }
    network.mend();
    scene.ends_undisturbed();
}

#[test]
fn f10_a_network_that_resets_every_64_kib_still_carries_a_model() {
    let padding = usize::try_from(150 * KIB).unwrap();
    let template = Template::make(Plan { padding, ..Plan::default() });
    let mut scene = template.scene();
    let network = scene.network();
    scene.serve();
    network.reset_after(64 * KIB);
    scene.site().run();
    scene.sites[0].until("sent");
    scene.ends_undisturbed();
}
