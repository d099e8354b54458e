//! Resident memory of a program and all that it started, as the kernel counts it.

use std::fs;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Boxes and workers live for seconds: this is often enough.
const GLANCE: Duration = Duration::from_millis(20);

const KIB_IN_MIB: u64 = 1024;

/// Waits for what `wait` does with `child` and tells the largest sum of resident memory seen
/// meanwhile, in MiB. A page that two processes share counts in both.
pub(crate) fn peak_while<T>(child: Child, wait: impl FnOnce(Child) -> T) -> (T, u64) {
    let (process, is_over) = (child.id(), AtomicBool::new(false));
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut peak = 0;
            while !is_over.load(Ordering::Relaxed) {
                peak = peak.max(resident_kib(process));
                thread::sleep(GLANCE);
            }
            peak
        });
        let answer = wait(child);
        is_over.store(true, Ordering::Relaxed);
        (answer, watcher.join().unwrap_or_default() / KIB_IN_MIB)
    })
}

/// The largest resident memory of this process so far, in MiB; 0 where the kernel does not say.
pub(crate) fn own_peak_mib() -> u64 {
    own_peak_kib() / KIB_IN_MIB
}

/// The same in KiB.
pub(crate) fn own_peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    kib(&status, "VmHWM:")
}

fn kib(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The process, its children, theirs, and so on; 0 for those that are gone.
fn resident_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let own = kib(&status, "VmRSS:");
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let children =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let of_children: u64 = children
        .flat_map(|list| {
            list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()
        })
        .map(resident_kib)
        .sum();
    own + of_children
}
