//! Processes that a test started, and their children: signals to them, and how long they worked.

use std::fs;

use rustix::process::{Pid, kill_process};

pub use rustix::process::Signal;

/// Sends a signal; `false` where the process is gone.
#[must_use]
pub fn send(process: u32, signal: Signal) -> bool {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// Hundredths of a second that a process has worked, its children apart; 0 where it is gone.
#[must_use]
pub fn work_done(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name stands in brackets and may hold spaces; own time in user mode is the 12th field after it.
    let fields = stat.rsplit_once(") ").map(|(_, fields)| fields).unwrap_or_default();
    fields.split(' ').nth(11).and_then(|ticks| ticks.parse().ok()).unwrap_or_default()
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
