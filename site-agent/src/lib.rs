//! The site agent: daemon and steward's commands. Glue only: reading files is `fedval-ingest`,
//! running models is `fedval-inference`, what may leave is `fedval-disclosure`, what was said is
//! `fedval-vault`, and only `fedval-egress` speaks to the coordinator.

pub mod cli;
mod config;
pub mod daemon;
mod dimse;
mod home;
mod hours;
mod inference;
mod metrics;
mod network;
mod pacs;
mod progress;
mod secret_file;
mod shards;
mod site_policy;

use std::process::ExitCode;

/// Runs one of the sandboxed roles, if `role` is one.
///
/// Call it first thing in `main`: a box refuses to start where a thread exists already.
#[must_use]
pub fn box_main(role: &str) -> Option<ExitCode> {
    match role {
        fedval_ingest::DECODE_ROLE => Some(fedval_ingest::decode_box_main()),
        fedval_ingest::TABLE_ROLE => Some(fedval_ingest::table_box_main()),
        fedval_inference::INFERENCE_ROLE => Some(fedval_inference::inference_box_main()),
        _ => None,
    }
}
