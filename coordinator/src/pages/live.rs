//! A round's progress as it goes on: the part of the page that changed, sent whenever it did.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use tokio::sync::watch;

use super::Pages;
use super::answer::{Refusal, render};
use super::study::{RoundProgress, progress};
use super::visitor::Reading;

/// How often it looks: phases are no changes that replicas tell each other of.
const LOOK_SECONDS: u64 = 1;
/// After so many looks the browser asks anew, and is looked up anew.
const MOST_LOOKS: u32 = 600;

/// A page that is open.
struct Watched {
    pages: Pages,
    reading: Reading,
    changes: watch::Receiver<u64>,
    /// The state of the study and the part of the page, as they were shown last.
    shown: Option<(&'static str, String)>,
    looks: u32,
}

pub(super) async fn events(
    State(pages): State<Pages>,
    reading: Reading,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    progress(&pages, &reading).await?;
    let changes = pages.changes.subscribe();
    let watched = Watched { pages, reading, changes, shown: None, looks: 0 };
    let stream = unfold(watched, Watched::next);
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

impl Watched {
    /// Waits until there is something else to show.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        while self.looks < MOST_LOOKS {
            if self.looks > 0 {
                tokio::select! {
                    changed = self.changes.changed() => changed.ok()?,
                    () = tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)) => {}
                }
            }
            self.looks += 1;
            if !self.reading.still_may(&self.pages).await {
                return None;
            }
            let progress = progress(&self.pages, &self.reading).await.ok()?;
            let part = RoundProgress::of(&progress);
            let now = (part.state, render(&part).0);
            if self.shown.as_ref() == Some(&now) {
                continue;
            }
            let is_other_state = self.shown.as_ref().is_some_and(|shown| shown.0 != now.0);
            let event = Event::default().data(now.1.clone());
            // Another state has other links: the whole page is fetched again.
            let event = if is_other_state { event.event("state") } else { event };
            self.shown = Some(now);
            return Some((Ok(event), self));
        }
        None
    }
}
