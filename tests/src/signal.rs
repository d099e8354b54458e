//! Signals to processes that a test started, and to their children.

use std::fs;

use rustix::process::{Pid, kill_process};

pub use rustix::process::Signal;

/// Sends a signal; `false` where the process is gone.
#[must_use]
pub fn send(process: u32, signal: Signal) -> bool {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// Children of a process, of whichever of its threads, whose command line contains `word`.
#[must_use]
pub fn children(process: u32, word: &str) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|children| {
            children.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>()
        })
        .filter(|child| {
            let line = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(word)
        })
        .collect()
}
