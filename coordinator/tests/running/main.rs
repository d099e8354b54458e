//! The server as its operators watch it: metrics, health, reflection, certificates, logs.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod certificates;
mod observability;
#[path = "../server/mod.rs"]
mod server;
