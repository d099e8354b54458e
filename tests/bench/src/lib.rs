//! What the benchmarks share: a consortium of real processes, a model of any size, a stopwatch.
//!
//! Speed is measured here and never asserted: machines differ. Each program prints one JSON line a
//! measurement and a table at its end.

pub mod consortium;
pub mod error;
pub mod figures;
pub mod hospital;
pub mod link;
pub mod memory;
pub mod network;
pub mod processor;
pub mod program;
pub mod server_log;
pub mod stopwatch;
pub mod study;
pub mod swarm;

pub use error::BenchError;
