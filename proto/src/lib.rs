//! The wire contract, package `fedval.v1`: generated code and nothing else.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "generated from fedval/v1/*.proto, where every message is documented"
)]
mod generated {
    tonic::include_proto!("fedval.v1");
}

pub use generated::*;

/// The compiled contract, for tests that read it and for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/fedval.binpb"));
