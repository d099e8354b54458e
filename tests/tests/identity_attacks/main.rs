//! Attacks on identity, A37 to A42: real processes, real sockets, and clients that keep no rule.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod a37_certificates;
mod a38_other_studies;
mod a39_other_sites;
mod a40_tokens;
mod a41_replays;
mod a42_restarts;
#[path = "../../../common/disclosure/tests/support/mod.rs"]
mod gate;
mod scene;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;
