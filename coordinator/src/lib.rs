//! The coordinator: server, operator commands, verifier. Glue only: rules live in `fedval-core`,
//! statistics in `fedval-stats`, the report in `fedval-report`.

mod changes;
pub mod cli;
mod client;
mod config;
mod durable;
mod health;
mod home;
mod metrics;
mod package;
mod pages;
mod rpc;
mod server;
mod tally;
mod words;

pub use pages::page_routes;
