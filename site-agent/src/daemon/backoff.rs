//! When something that failed for a passing reason is tried again.

use std::collections::BTreeMap;
use std::time::Duration;

use fedval_study::RoundId;

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(1);

/// Waits of single jobs: each failure in a row doubles the wait. Times are monotonic, whatever the
/// clock on the wall does.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    waits: BTreeMap<RoundId, Wait>,
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    until: Duration,
    length: Duration,
}

impl Backoff {
    /// Whether a job may be tried at `now`.
    pub(super) fn is_over(&self, round: &RoundId, now: Duration) -> bool {
        self.waits.get(round).is_none_or(|wait| wait.until <= now)
    }

    pub(super) fn failed(&mut self, round: &RoundId, now: Duration) {
        let length = self.waits.get(round).map_or(FIRST, |wait| wait.length * 2).min(LONGEST);
        self.waits.insert(round.clone(), Wait { until: now + length, length });
    }

    pub(super) fn succeeded(&mut self, round: &RoundId) {
        self.waits.remove(round);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_of_its_own_job_up_to_a_minute() {
        let (slow, other): (RoundId, RoundId) = ("a-r1".parse().unwrap(), "b-r1".parse().unwrap());
        let mut backoff = Backoff::default();
        let mut now = Duration::ZERO;
        for seconds in [5, 10, 20, 40, 60, 60] {
            backoff.failed(&slow, now);
            assert!(!backoff.is_over(&slow, now + Duration::from_secs(seconds - 1)));
            assert!(backoff.is_over(&other, now));
            now += Duration::from_secs(seconds);
            assert!(backoff.is_over(&slow, now));
        }
        backoff.succeeded(&slow);
        backoff.failed(&slow, now);
        assert!(backoff.is_over(&slow, now + FIRST));
    }
}
