//! How often the PACS is asked: it serves patients first.

use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::PacsError;

/// Lets requests through one after the other, not faster than they may come.
pub(super) struct Pace {
    slots: Semaphore,
    between: Duration,
    /// Made when it is first needed: a clock of the runtime, which a configuration does not have.
    beat: Mutex<Option<Interval>>,
}

impl Pace {
    pub(super) fn of(per_second: f64, parallel: usize) -> Result<Self, PacsError> {
        let between = Duration::try_from_secs_f64(per_second.recip());
        let between = between.ok().filter(|between| !between.is_zero() && parallel > 0);
        Ok(Self {
            slots: Semaphore::new(parallel.min(Semaphore::MAX_PERMITS)),
            between: between.ok_or(PacsError::BadLimit)?,
            beat: Mutex::new(None),
        })
    }

    /// Waits until one more request may begin. It may run for as long as the permit is held.
    pub(super) async fn turn(&self) -> SemaphorePermit<'_> {
        let permit = self.slots.acquire().await.expect("nobody closes these slots");
        let mut beat = self.beat.lock().await;
        let beat = beat.get_or_insert_with(|| {
            let mut beat = interval(self.between);
            // What was not used is not made up for.
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            beat
        });
        beat.tick().await;
        permit
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, advance};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_begin_no_faster_than_they_may_and_a_pause_is_not_made_up_for() {
        let pace = Pace::of(4.0, 1).unwrap();
        let start = Instant::now();
        for _ in 0..5 {
            drop(pace.turn().await);
        }
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        advance(Duration::from_mins(1)).await;
        let start = Instant::now();
        for _ in 0..5 {
            drop(pace.turn().await);
        }
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_run_than_may() {
        let pace = Pace::of(1e6, 2).unwrap();
        let (_first, second) = (pace.turn().await, pace.turn().await);
        let third = pace.turn();
        tokio::pin!(third);
        assert!(tokio::time::timeout(Duration::from_secs(9), &mut third).await.is_err());
        drop(second);
        drop(third.await);
    }

    #[test]
    fn a_pace_that_would_never_or_always_ask_is_refused() {
        for (per_second, parallel) in
            [(0.0, 1), (-1.0, 1), (f64::NAN, 1), (f64::INFINITY, 1), (1.0, 0)]
        {
            let refused = Pace::of(per_second, parallel).err();
            assert_eq!(refused, Some(PacsError::BadLimit), "{per_second} {parallel}");
        }
    }
}
