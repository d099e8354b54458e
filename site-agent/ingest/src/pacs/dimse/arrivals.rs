//! What may arrive of what was asked for: each instance once, no other, and not more bytes than are read.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex as Shared, Notify, watch};
use tokio::time::timeout;

use super::association::Association;
use super::command::{Command, STORE_REQUEST};
use super::{query, storage, syntaxes};
use crate::pacs::attempt::Trouble;
use crate::pacs::find::Place;
use crate::pacs::{CaseFault, FetchError, PacsError, Spool};

/// Answers that say nothing but that more follow, beside those that come with each instance.
const MOST_ANSWERS: usize = 1000;
/// A whole series may take so many times the time for one instance, however many it has: with the default an hour.
/// One that trickles would hold for days what there is one of.
const MOST_PATIENCE: u32 = 60;

/// Where what arrives is put.
pub(super) enum Shelf {
    Empty,
    One(Vec<u8>),
    Series(Spool),
}

/// One instance, or all of a series.
pub(super) struct Arrivals {
    /// Of one series; at least one.
    places: Vec<Place>,
    /// Largest instance, and all of them together, in bytes.
    largest: u64,
    all: u64,
    /// UIDs that nobody brings at the moment, and nobody has brought.
    awaited: Mutex<BTreeSet<String>>,
    shelf: Shared<Shelf>,
    arrived: watch::Sender<usize>,
    has_others: AtomicBool,
    /// Why nothing more is taken, whatever the PACS says of it.
    failure: Mutex<Option<FetchError>>,
    /// Told when there is a failure.
    is_over: Notify,
}

impl Arrivals {
    /// One instance, into memory.
    pub(super) fn of_one(place: Place, largest: u64) -> Self {
        Self::new(vec![place], (largest, largest), Shelf::Empty)
    }

    /// Instances of one series, of together at most `all` bytes, into `files`.
    pub(super) fn of_series(places: Vec<Place>, (largest, all): (u64, u64), files: Spool) -> Self {
        Self::new(places, (largest, all), Shelf::Series(files))
    }

    fn new(places: Vec<Place>, (largest, all): (u64, u64), shelf: Shelf) -> Self {
        let awaited = places.iter().map(|place| place.instance().to_owned()).collect();
        Self {
            places,
            largest,
            all,
            awaited: Mutex::new(awaited),
            shelf: Shared::new(shelf),
            arrived: watch::Sender::new(0),
            has_others: AtomicBool::new(false),
            failure: Mutex::new(None),
            is_over: Notify::new(),
        }
    }

    /// Names them, to have them sent.
    pub(super) fn identifier(&self) -> Vec<u8> {
        match self.places.as_slice() {
            [only] => query::instance(only),
            places => query::whole_series(&places[0]),
        }
    }

    /// The classes that they are of, where the PACS says so.
    pub(super) fn classes(&self) -> BTreeSet<Option<&str>> {
        self.places.iter().map(Place::class).collect()
    }

    /// Whether an instance of `class` may come.
    pub(super) fn expects(&self, class: &str) -> bool {
        self.classes().into_iter().any(|wanted| syntaxes::is_expected(class, wanted))
    }

    /// Messages within which a retrieval ends.
    pub(super) const fn most_messages(&self) -> usize {
        MOST_ANSWERS + 2 * self.places.len()
    }

    /// Takes the instance that a request to store announces, and thanks for it.
    pub(super) async fn take(
        &self,
        association: &mut Association,
        context: u8,
        command: &Command,
    ) -> Result<(), Trouble> {
        let instance = self.claim(command)?;
        let taken = self.take_claimed(association, context, command, instance).await;
        if taken.is_err() {
            // The PACS may try once more.
            self.awaited().insert(instance.to_owned());
            return taken;
        }
        association.say(context, &command.stored(), None).await
    }

    /// One after the other, over however many associations they come: one is in memory, and where it cannot be put
    /// none follows.
    async fn take_claimed(
        &self,
        association: &mut Association,
        context: u8,
        command: &Command,
        instance: &str,
    ) -> Result<(), Trouble> {
        let mut so_far = self.shelf.lock().await;
        if let Some(error) = self.failure() {
            return Err(Trouble::Known(error));
        }
        let file = storage::take(association, context, command, self.largest).await?;
        match self.put(mem::replace(&mut *so_far, Shelf::Empty), instance, file).await {
            Ok(kept) => {
                *so_far = kept;
                self.arrived.send_modify(|arrived| *arrived += 1);
                Ok(())
            }
            Err(error) => {
                *self.failure.lock().expect("nothing panics while it is held") = Some(error);
                self.is_over.notify_one();
                Err(Trouble::Known(error))
            }
        }
    }

    /// Refuses what is no request to store an instance that is awaited, before a byte of it is taken.
    fn claim<'c>(&self, command: &'c Command) -> Result<&'c str, Trouble> {
        let instance = command.instance.as_deref();
        let is_store = command.field == STORE_REQUEST && command.has_data_set;
        let instance = instance.filter(|_| is_store).ok_or(CaseFault::AnswerInvalid)?;
        if !self.places.iter().any(|place| place.instance() == instance) {
            self.has_others.store(true, Ordering::SeqCst);
            return Err(self.about_strays());
        }
        let is_awaited = self.awaited().remove(instance);
        if is_awaited { Ok(instance) } else { Err(CaseFault::AnswerInvalid.into()) }
    }

    /// What is told of the case where something else came. Of a series it may be what is not yet listed.
    fn about_strays(&self) -> Trouble {
        match self.places.len() {
            1 => CaseFault::OtherInstance.into(),
            _ => Trouble::Doubtful(CaseFault::OtherInstance, PacsError::Failed),
        }
    }

    fn awaited(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.awaited.lock().expect("nothing panics while it is held")
    }

    fn failure(&self) -> Option<FetchError> {
        *self.failure.lock().expect("nothing panics while it is held")
    }

    /// Returns when nothing more is taken, and why, while the PACS may have more to send.
    pub(super) async fn failed(&self) -> FetchError {
        loop {
            self.is_over.notified().await;
            if let Some(error) = self.failure() {
                return error;
            }
        }
    }

    async fn put(&self, on: Shelf, instance: &str, file: Vec<u8>) -> Result<Shelf, FetchError> {
        let Shelf::Series(files) = on else { return Ok(Shelf::One(file)) };
        if files.bytes() + file.len() as u64 > self.all {
            return Err(CaseFault::SeriesTooLarge.into());
        }
        Ok(Shelf::Series(files.with(instance, file).await?))
    }

    /// Returns when it is in vain to wait any longer: for so long no instance has arrived, or all of them take too
    /// long.
    pub(super) async fn overdue(&self, patience: Duration) -> Trouble {
        let instances = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let longest = patience.saturating_mul(instances.min(MOST_PATIENCE));
        let still = timeout(longest, self.stand_still(patience)).await;
        match still {
            // Another try would trickle as well.
            Err(_) if self.places.len() > 1 => {
                Trouble::Doubtful(CaseFault::Failing, PacsError::Failed)
            }
            _ => Trouble::Broken,
        }
    }

    /// Returns when for so long nothing has arrived.
    async fn stand_still(&self, patience: Duration) {
        let mut arrived = self.arrived.subscribe();
        while timeout(patience, arrived.changed()).await.is_ok_and(|change| change.is_ok()) {}
    }

    /// All that was asked for, if all of it has arrived; else why not, as far as that is known here.
    pub(super) async fn brought(&self) -> Result<Option<Shelf>, FetchError> {
        if let Some(error) = self.failure() {
            return Err(error);
        }
        let is_all = *self.arrived.borrow() == self.places.len();
        // Another image of the series is one that the list lacked. Where one image was asked for, it is no part of it.
        let is_more = self.places.len() > 1 && self.has_others.load(Ordering::SeqCst);
        let all = mem::replace(&mut *self.shelf.lock().await, Shelf::Empty);
        Ok(Some(all).filter(|_| is_all && !is_more))
    }

    /// What is told of the case where the PACS is done and something is missing.
    pub(super) fn missing(&self) -> Trouble {
        if self.has_others.load(Ordering::SeqCst) {
            return self.about_strays();
        }
        let fault = match self.places.len() {
            1 => CaseFault::NoInstance,
            _ => CaseFault::SeriesIncomplete,
        };
        Trouble::Doubtful(fault, PacsError::Failed)
    }
}

#[cfg(test)]
mod tests {
    use tokio::join;
    use tokio::time::{Instant, sleep};

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);

    fn awaiting(instances: usize) -> Arrivals {
        let place = |number: usize| Place::of("1.2", "1.2.3", &format!("1.2.3.{number}"));
        Arrivals::new((0..instances).map(place).collect(), (1, 1), Shelf::Empty)
    }

    /// How long `instances` are waited for of which `arriving` come, each so long after the one before, and what is
    /// told then; in seconds.
    async fn waited(instances: usize, arriving: usize, after: u64) -> (u64, Trouble) {
        let arrivals = awaiting(instances);
        let begun = Instant::now();
        let overdue = async {
            let trouble = arrivals.overdue(PATIENCE).await;
            (begun.elapsed().as_secs(), trouble)
        };
        let pacs = async {
            for _ in 0..arriving {
                sleep(Duration::from_secs(after)).await;
                arrivals.arrived.send_modify(|arrived| *arrived += 1);
            }
        };
        join!(overdue, pacs).0
    }

    #[tokio::test(start_paused = true)]
    async fn a36_a_series_that_stands_still_is_seen_when_the_time_for_one_instance_is_over() {
        for (arriving, after, expected) in [(0, 0, 60), (1, 59, 119), (5, 10, 110), (1, 61, 60)] {
            let (seconds, trouble) = waited(100, arriving, after).await;
            assert_eq!(seconds, expected, "{arriving} after {after}");
            assert!(matches!(trouble, Trouble::Broken));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a36_a_series_that_trickles_is_given_up_and_one_instance_has_its_time_once() {
        let (seconds, trouble) = waited(4096, 100, 59).await;
        assert_eq!(seconds, 3600);
        assert!(matches!(trouble, Trouble::Doubtful(CaseFault::Failing, PacsError::Failed)));
        let (seconds, _) = waited(3, 100, 59).await;
        assert_eq!(seconds, 180, "as if each had all of its time");
        let (seconds, trouble) = waited(1, 1, 59).await;
        assert_eq!(seconds, 60, "it came, and nobody says that this is all");
        assert!(matches!(trouble, Trouble::Broken));
    }
}
