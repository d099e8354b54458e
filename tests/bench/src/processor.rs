//! Processor time of processes: unlike the clock, it does not grow when others use the machine.

use std::fs;

/// Fields after the name in `/proc/PID/stat`, counted from 0: own time in user and kernel mode, then
/// that of children that have ended.
const TIMES: std::ops::Range<usize> = 11..15;

/// Linux counts so towards programs on every architecture that fedval runs on.
const TICKS_IN_A_SECOND: f64 = 100.0;

/// Processor seconds of a process and of its children that have ended; 0 for one that is gone.
#[must_use]
pub fn seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name stands in brackets and may hold spaces.
    let fields = stat.rsplit_once(") ").map(|(_, fields)| fields).unwrap_or_default();
    let ticks: f64 =
        fields.split(' ').skip(TIMES.start).take(TIMES.len()).flat_map(str::parse::<f64>).sum();
    ticks / TICKS_IN_A_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_gone_has_no_time_and_this_one_has_some() {
        let mut sum = 0_u64;
        while seconds(std::process::id()) < 0.02 {
            sum = (0..1_000_000_u64).fold(sum, |sum, n| sum.wrapping_mul(31).wrapping_add(n));
        }
        assert!(seconds(u32::MAX).abs() < f64::EPSILON, "{sum}");
    }
}
