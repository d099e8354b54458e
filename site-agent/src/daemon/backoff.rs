//! When something that failed for a passing reason is tried again.

use std::collections::BTreeMap;
use std::time::Duration;

use fedval_study::RoundId;
use tokio::time::Instant;

const FIRST_SECONDS: u64 = 5;
const LONGEST_SECONDS: u64 = 60;

/// Waits of single jobs: each failure in a row doubles the wait. Monotonic, whatever the clock does.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    waits: BTreeMap<RoundId, (Instant, u64)>,
}

impl Backoff {
    /// Whether a job may be tried at `now`.
    pub(super) fn is_over(&self, round: &RoundId, now: Instant) -> bool {
        self.waits.get(round).is_none_or(|(until, _)| *until <= now)
    }

    pub(super) fn failed(&mut self, round: &RoundId, now: Instant) {
        let seconds = self.waits.get(round).map_or(FIRST_SECONDS, |(_, seconds)| seconds * 2);
        let seconds = seconds.min(LONGEST_SECONDS);
        self.waits.insert(round.clone(), (now + Duration::from_secs(seconds), seconds));
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
        let mut now = Instant::now();
        for seconds in [5, 10, 20, 40, 60, 60] {
            backoff.failed(&slow, now);
            assert!(!backoff.is_over(&slow, now + Duration::from_secs(seconds - 1)));
            assert!(backoff.is_over(&other, now));
            now += Duration::from_secs(seconds);
            assert!(backoff.is_over(&slow, now));
        }
        backoff.succeeded(&slow);
        backoff.failed(&slow, now);
        assert!(backoff.is_over(&slow, now + Duration::from_secs(FIRST_SECONDS)));
    }
}
