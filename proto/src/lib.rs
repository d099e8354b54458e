//! The wire contract, package `fedval.v1`: generated code and nothing else.
//!
//! [`inference`] is another contract, which others wrote: what a site's own inference server speaks.

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

/// The Open Inference Protocol, version 2, as far as an agent speaks it. A site never meets its coordinator
/// there.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "generated from inference/open_inference.proto, where every message is documented"
)]
pub mod inference {
    tonic::include_proto!("inference");
}

/// The compiled contract, for tests that read it and for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/fedval.binpb"));
