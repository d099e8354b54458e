//! Sites that stop and come back, that exist twice, that never answer, that come back all at once.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use fedval_tests::consortium::until;
use fedval_tests::process::{Running, call};
use fedval_tests::signal::{self, Signal};
use serde_json::Value;

use crate::all;
use crate::template::{Plan, STUDY, Template};

/// Longer than a session lasts without a heartbeat.
const SESSION: Duration = Duration::from_secs(125);

/// What is waited in its place where time is short.
const NAP: Duration = Duration::from_secs(3);

fn held_back() -> Template {
    Template::make(Plan { releases: false, ..Plan::default() })
}

#[test]
fn f20_an_agent_that_slept_while_another_took_over_changes_nothing() {
    let template = held_back();
    let mut scene = template.scene();
    scene.serve();
    scene.site().run();
    scene.sites[0].until("awaiting_release");
    let first = scene.sites[0].agent.as_ref().unwrap().id();
    assert!(signal::send(first, Signal::STOP));
    // The copy of the folder knows which process ran in it, and takes over at once.
    let mut second = scene.sites[0].copy(&scene.path("second"));
    second.run();
    second.until_log("coordinator connected");
    second.release();
    second.until("sent");
    second.is_in_order();
    scene.sites[0].release();
    assert!(signal::send(first, Signal::CONT));
    // Its copy of the same result: acknowledged as what is there already, or refused as late.
    until("the first agent hears", || {
        let site = &scene.sites[0];
        (site.state() == "sent" || !site.delay().is_empty()).then_some(())
    });
    second.kill();
    scene.ends_undisturbed();
}

#[test]
fn f20_an_agent_that_slept_goes_on_where_it_was() {
    let template = Template::make(Plan { side: 512, ..Plan::default() });
    let mut scene = template.scene();
    scene.serve();
    scene.site().run();
    scene.sites[0].until("running");
    let agent = scene.sites[0].agent.as_ref().unwrap().id();
    assert!(signal::send(agent, Signal::STOP));
    sleep(if all() { SESSION } else { NAP });
    assert!(signal::send(agent, Signal::CONT));
    scene.ends_undisturbed();
}

#[test]
fn f21_of_two_agents_of_one_site_the_second_is_refused() {
    let template = held_back();
    let mut scene = template.scene();
    scene.serve();
    // A copy from before the first start: it cannot name the process that runs.
    let mut second = scene.sites[0].copy(&scene.path("second"));
    scene.site().run();
    scene.sites[0].until("awaiting_release");
    let again = scene.sites[0].agent(&["run"]);
    assert_eq!(again.code, 2, "{}", again.err);
    assert!(again.err.contains("ALREADY_RUNNING"), "{}", again.err);
    second.run();
    until("the coordinator refuses the copy and says so", || {
        scene.log().contains("a second agent of a connected site was refused").then_some(())
    });
    until("the copy says so, too", || second.log().contains("WARN").then_some(()));
    second.kill();
    scene.sites[0].release();
    scene.ends_undisturbed();
}

#[test]
fn f24_a_site_that_never_answers_is_missing_from_a_report_that_says_so() {
    let sites = ["site-a", "site-b", "site-c"].map(str::to_owned).to_vec();
    let template = Template::make(Plan { sites, ..Plan::default() });
    let whole: Value = serde_json::from_str(template.undisturbed()).unwrap();
    let mut scene = template.scene();
    scene.serve();
    for site in &mut scene.sites[..2] {
        site.run();
    }
    for site in &scene.sites[..2] {
        site.until("sent");
    }
    let round = scene.round();
    assert_eq!(round["sites"][2]["status"], "missing", "{round}");
    // `report` closes the round, which only a person does, and verifies what comes of it.
    let partial: Value = serde_json::from_str(&scene.report()).unwrap();
    for present in 0..2 {
        assert_eq!(partial["sites"][present], whole["sites"][present]);
    }
    let missing = &partial["sites"][2];
    assert_eq!((&missing["id"], &missing["status"]), (&"site-c".into(), &"missing".into()));
    let page = fs::read_to_string(scene.path("report").join("report.html")).unwrap();
    assert!(page.contains("missing"), "the page says so");
    // It comes too late: nothing changes.
    scene.site().kill();
    scene.sites[2].run();
    scene.sites[2].until_log("coordinator connected");
    let again = scene.path("again");
    let args = ["report", "build", STUDY, "--out", again.to_str().unwrap(), "--json"];
    call("fedval", &scene.home, &args).json();
    let (first, second) = (scene.path("report").join("report.json"), again.join("report.json"));
    assert_eq!(fs::read(first).unwrap(), fs::read(second).unwrap());
}

#[test]
fn f26_all_agents_come_back_after_the_coordinator_restarts_and_no_result_is_lost() {
    let count = if all() { 100 } else { 20 };
    let sites = (0..count).map(|site| format!("site-{site:03}")).collect();
    let template = Template::make(Plan { sites, releases: false, ..Plan::default() });
    let mut scene = template.scene();
    scene.serve();
    for site in &mut scene.sites {
        site.run();
    }
    for site in &scene.sites {
        site.until("awaiting_release");
    }
    // Half of the results arrive before, half after.
    for site in scene.sites.iter().step_by(2) {
        site.release();
    }
    for site in scene.sites.iter().step_by(2) {
        site.until("sent");
    }
    scene.stop();
    for site in scene.sites.iter().skip(1).step_by(2) {
        site.release();
    }
    scene.serve();
    for site in &scene.sites {
        site.until("sent");
    }
    for site in &mut scene.sites {
        assert!(site.agent.as_mut().is_some_and(Running::is_running));
    }
    scene.ends_undisturbed();
}
