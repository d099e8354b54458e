//! Faults with names, `F01` to `F26`, done to the real programs: kills at every flush, a bad network,
//! full and broken disks, wrong clocks, sites that do not answer.
//!
//! Whatever happens, a run ends with one result of each site, charged once, a journal whose chain
//! holds, and the report of a run in which nothing happened, byte for byte but for its times.
//!
//! `FEDVAL_ALL_FAULTS=1 cargo nextest run -p fedval-tests --test faults` also does what takes long;
//! what came of it last stands in `README.md`. Needs root, `strace` and `faketime`, as
//! `tests/run.sh` installs them.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod clocks;
mod disks;
mod kills;
mod model;
mod network;
mod scene;
mod stragglers;
mod template;

/// Whether to do what takes long, too.
fn all() -> bool {
    std::env::var_os("FEDVAL_ALL_FAULTS").is_some()
}

/// What is done in a run that may take minutes, and in one that may not.
fn each<T>(few: impl IntoIterator<Item = T>, every: impl IntoIterator<Item = T>) -> Vec<T> {
    if all() { every.into_iter().collect() } else { few.into_iter().collect() }
}
