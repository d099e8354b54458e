//! What an attacker would try, by the ids of deploy/docs/threats.md. A10 is beside the model's box, A18 and
//! A19 beside the vault.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../../study/tests/support/mod.rs"]
mod support;

mod beyond;
mod cells;
mod protocols;
mod releases;
mod scene;
mod scores;
mod solver;
