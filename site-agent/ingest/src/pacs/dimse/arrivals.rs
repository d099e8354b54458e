//! What may arrive of what was asked for: each instance once, no other, and not more bytes than are read.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex as Shared;
use tokio::time::sleep;

use super::association::Association;
use super::command::{Command, STORE_REQUEST};
use super::{query, storage, syntaxes};
use crate::pacs::attempt::Trouble;
use crate::pacs::find::Place;
use crate::pacs::{CaseFault, FetchError, PacsError, Spool};

/// Answers that say nothing but that more follow, beside those that come with each instance.
const MOST_ANSWERS: usize = 1000;

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
    arrived: AtomicUsize,
    has_others: AtomicBool,
    /// Why nothing more is taken, whatever the PACS says of it.
    failure: Mutex<Option<FetchError>>,
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
            arrived: AtomicUsize::new(0),
            has_others: AtomicBool::new(false),
            failure: Mutex::new(None),
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
        let file = storage::take(association, context, command, self.largest).await;
        let kept = match file {
            Ok(file) => self.keep(instance, file).await,
            Err(trouble) => Err(trouble),
        };
        if kept.is_err() {
            // The PACS may try once more.
            self.awaited().insert(instance.to_owned());
            return kept;
        }
        association.say(context, &command.stored(), None).await
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

    async fn keep(&self, instance: &str, file: Vec<u8>) -> Result<(), Trouble> {
        let mut shelf = self.shelf.lock().await;
        let kept = self.put(mem::replace(&mut *shelf, Shelf::Empty), instance, file).await;
        match kept {
            Ok(kept) => {
                *shelf = kept;
                self.arrived.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
            Err(error) => {
                *self.failure.lock().expect("nothing panics while it is held") = Some(error);
                Err(Trouble::Known(error))
            }
        }
    }

    async fn put(&self, shelf: Shelf, instance: &str, file: Vec<u8>) -> Result<Shelf, FetchError> {
        let Shelf::Series(files) = shelf else { return Ok(Shelf::One(file)) };
        if files.bytes() + file.len() as u64 > self.all {
            return Err(CaseFault::SeriesTooLarge.into());
        }
        Ok(Shelf::Series(files.with(instance, file).await?))
    }

    /// Returns when for so long nothing has arrived.
    pub(super) async fn stand_still(&self, patience: Duration) {
        let mut before = None;
        loop {
            let now = self.arrived.load(Ordering::SeqCst);
            if before == Some(now) {
                return;
            }
            before = Some(now);
            sleep(patience).await;
        }
    }

    /// All that was asked for, if all of it has arrived; else why not, as far as that is known here.
    pub(super) async fn brought(&self) -> Result<Option<Shelf>, FetchError> {
        if let Some(error) = *self.failure.lock().expect("nothing panics while it is held") {
            return Err(error);
        }
        let is_all = self.arrived.load(Ordering::SeqCst) == self.places.len();
        // Another image of the series is one that the list lacked. Where one image was asked for, it is no part of it.
        let is_more = self.places.len() > 1 && self.has_others.load(Ordering::SeqCst);
        let shelf = mem::replace(&mut *self.shelf.lock().await, Shelf::Empty);
        Ok(Some(shelf).filter(|_| is_all && !is_more))
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
