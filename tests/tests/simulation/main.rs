//! Histories of a consortium that a network and machines have done their worst to: the coordinator's
//! rules and the agents' own steps in one process, over real stores and real vaults, on a clock that
//! moves when it is told.
//!
//! A history is a list of operations, made up at random: time passes or jumps, requests are lost or
//! only their answers, agents and the coordinator stop anywhere and start again, a second agent turns
//! up, the coordinator comes back from an old backup. Afterwards the faults end, and everything must
//! come to the report of a round in which nothing happened.
//!
//! In every bucket each site has a number of patients that is a binary digit of its own, so that the
//! pooled buckets hold each digit once: a result that was counted twice would show as a carry.
//!
//! `PROPTEST_CASES=20000 cargo nextest run -p fedval-tests --test simulation` looks further. A history
//! that fails is shrunk and printed as operations: write them into `named.rs`.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod checks;
mod named;
mod op;
mod site;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;
mod template;
mod way;
mod world;

use op::Op;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use world::World;

/// Histories of each of the ways below; there are eight ways.
const HISTORIES: u32 = 126;

/// Runs one history to its end and checks every promise.
async fn live(history: &[Op]) -> World {
    let mut world = World::new().await;
    for op in history {
        world.apply(op).await;
    }
    world.settle().await;
    checks::promises(&world).await;
    world
}

/// On a runtime of its own, as every history is: nothing of the one before is left.
fn alone<T>(history: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(history)
}

fn run(history: &[Op]) {
    alone(live(history));
}

fn histories(ops: impl Strategy<Value = Vec<Op>>) {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() {
        Config::default().cases
    } else {
        HISTORIES
    };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let ended = runner.run(&ops, |history| {
        run(&history);
        Ok(())
    });
    if let Err(failure) = ended {
        panic!("a promise is broken; write this into named.rs: {failure}");
    }
}

#[test]
fn requests_and_answers_are_lost() {
    histories(op::mostly(op::lossy()));
}

#[test]
fn agents_stop_anywhere() {
    histories(op::mostly(op::agent_stops()));
}

#[test]
fn the_coordinator_stops_anywhere() {
    histories(op::mostly(op::coordinator_stops()));
}

#[test]
fn the_coordinator_comes_back_from_an_older_backup() {
    histories(op::mostly(op::restores()));
}

#[test]
fn clocks_jump_and_time_passes() {
    histories(op::mostly(op::time()));
}

#[test]
fn a_second_agent_turns_up() {
    histories(op::mostly(op::impostors()));
}

#[test]
fn messages_come_twice_and_late() {
    histories(op::mostly(op::repeats()));
}

#[test]
fn everything_happens_at_once() {
    histories(op::mostly(op::anything()));
}
