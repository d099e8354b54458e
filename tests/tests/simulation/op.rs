//! What can happen, and how likely it is.

use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;

use crate::template::SITES;

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// The operator dispatches the study to every site; again, if it was dispatched.
    Dispatch,
    /// A site's agent connects.
    Connect(usize),
    /// Its connection breaks; the coordinator notices or does not.
    Cut(usize, bool),
    /// It tells what it is doing.
    Tell(usize),
    /// It hears the next thing the coordinator said.
    Hear(usize),
    /// The coordinator looks whether there is news for it.
    Look(usize),
    /// It says that it is there.
    Heartbeat(usize),
    /// It evaluates what is due.
    Evaluate(usize),
    /// It approves, releases and sends what is due.
    Answer(usize),
    /// It is killed while it evaluates, after so many steps of the machine.
    KillEvaluating(usize, u16),
    /// It is killed while it answers, after so many steps of the machine.
    KillAnswering(usize, u16),
    /// Its next call is lost before it arrives.
    LoseRequest(usize),
    /// Its next call arrives, and the answer is lost.
    LoseResponse(usize),
    /// Its next call arrives twice.
    Repeat(usize),
    /// Another process connects as the site, from a copy of its folder or from nowhere.
    Impostor(usize, bool),
    /// The coordinator's process is killed and started.
    RestartCoordinator,
    /// The coordinator is backed up.
    Backup,
    /// The coordinator is restored from the last backup, if there is one.
    Restore,
    /// Time passes.
    Advance(u16),
    /// The clocks are set forward or back.
    Jump(i32),
}

type Ops = BoxedStrategy<Op>;

fn site() -> impl Strategy<Value = usize> {
    0..SITES.len()
}

fn work() -> Ops {
    prop_oneof![
        1 => Just(Op::Dispatch),
        3 => site().prop_map(Op::Connect),
        5 => site().prop_map(Op::Tell),
        6 => site().prop_map(Op::Hear),
        2 => site().prop_map(Op::Look),
        1 => site().prop_map(Op::Heartbeat),
        4 => site().prop_map(Op::Evaluate),
        6 => site().prop_map(Op::Answer),
    ]
    .boxed()
}

pub(crate) fn lossy() -> Ops {
    prop_oneof![
        site().prop_map(Op::LoseRequest),
        site().prop_map(Op::LoseResponse),
        (site(), any::<bool>()).prop_map(|(site, noticed)| Op::Cut(site, noticed)),
    ]
    .boxed()
}

pub(crate) fn agent_stops() -> Ops {
    prop_oneof![
        (site(), 0..60_u16).prop_map(|(site, steps)| Op::KillEvaluating(site, steps)),
        (site(), 0..60_u16).prop_map(|(site, steps)| Op::KillAnswering(site, steps)),
    ]
    .boxed()
}

pub(crate) fn coordinator_stops() -> Ops {
    prop_oneof![Just(Op::RestartCoordinator), site().prop_map(Op::LoseResponse)].boxed()
}

pub(crate) fn restores() -> Ops {
    prop_oneof![Just(Op::Backup), Just(Op::Restore)].boxed()
}

pub(crate) fn time() -> Ops {
    prop_oneof![
        (1..900_u16).prop_map(Op::Advance),
        // A day to both sides, of the ten that the consortium is old and the twenty that its sites'
        // certificates still hold.
        (-86_400..86_400_i32).prop_map(Op::Jump),
    ]
    .boxed()
}

pub(crate) fn impostors() -> Ops {
    prop_oneof![
        (site(), any::<bool>()).prop_map(|(site, copied)| Op::Impostor(site, copied)),
        (1..200_u16).prop_map(Op::Advance),
    ]
    .boxed()
}

pub(crate) fn repeats() -> Ops {
    prop_oneof![
        site().prop_map(Op::Repeat),
        (site(), Just(false)).prop_map(|(site, noticed)| Op::Cut(site, noticed)),
    ]
    .boxed()
}

pub(crate) fn anything() -> Ops {
    prop_oneof![
        lossy(),
        agent_stops(),
        coordinator_stops(),
        restores(),
        time(),
        impostors(),
        repeats()
    ]
    .boxed()
}

/// A history of ordinary work with one kind of trouble among it.
pub(crate) fn mostly(trouble: Ops) -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![4 => work(), 1 => trouble];
    prop::collection::vec(op, 10..80).prop_map(|mut history| {
        history.insert(0, Op::Dispatch);
        history
    })
}
