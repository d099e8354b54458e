//! Resident memory of processes, as the kernel counts it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a tree of processes is looked at.
const SAMPLE_MILLIS: u64 = 50;
const KIB_IN_MIB: f64 = 1024.0;

/// A field of `/proc/PID/status` in MiB; 0 for a process that is gone.
fn field(pid: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / KIB_IN_MIB
}

/// Resident memory now, in MiB.
#[must_use]
pub fn resident(pid: u32) -> f64 {
    field(pid, "VmRSS")
}

/// Largest resident memory so far, in MiB.
#[must_use]
pub fn peak(pid: u32) -> f64 {
    field(pid, "VmHWM")
}

/// Resident memory of a process and what it started, in MiB; shared pages count in each.
#[must_use]
pub fn resident_with_children(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let children: Vec<u32> = children
        .flat_map(|list| list.split_whitespace().flat_map(str::parse).collect::<Vec<_>>())
        .collect();
    resident(pid) + children.into_iter().map(resident_with_children).sum::<f64>()
}

/// Watches a few processes and remembers the largest tree.
#[derive(Debug)]
pub struct TreeWatch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<f64>>,
}

impl TreeWatch {
    /// Starts watching.
    #[must_use]
    pub fn start(pids: Vec<u32>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut largest: f64 = 0.0;
            while !told.load(Ordering::Relaxed) {
                let now = pids.iter().map(|pid| resident_with_children(*pid));
                largest = now.fold(largest, f64::max);
                std::thread::sleep(Duration::from_millis(SAMPLE_MILLIS));
            }
            largest
        });
        Self { stop, thread: Some(thread) }
    }

    /// Stops, and tells the largest tree in MiB.
    #[must_use]
    pub fn stop(mut self) -> f64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_a_peak_no_smaller() {
        let pid = std::process::id();
        let now = resident(pid);
        assert!(now > 0.1 && peak(pid) >= now && resident_with_children(pid) > 0.1);
    }
}
