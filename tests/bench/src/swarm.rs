//! Many agents that do nothing but hold their work stream, come back when it ends, and tell what
//! they hear.

use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Entropy as _, OsEntropy};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::BenchError;
use crate::link::{Identity, Link};
use crate::stopwatch::Stopwatch;

/// As the agent does it: first and longest wait before a new attempt, of which half to all is waited.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// As the agent does it.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// What an agent tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Its work stream is open.
    Connected,
    /// It was offered a study.
    Offer,
}

/// The agents.
#[derive(Debug)]
pub struct Swarm {
    url: Arc<str>,
    agents: JoinSet<()>,
    sender: mpsc::UnboundedSender<(Heard, Stopwatch)>,
    heard: mpsc::UnboundedReceiver<(Heard, Stopwatch)>,
    connecting: usize,
}

impl Swarm {
    /// No agents yet.
    #[must_use]
    pub fn new(url: String) -> Self {
        let (sender, heard) = mpsc::unbounded_channel();
        Self { url: url.into(), agents: JoinSet::new(), sender, heard, connecting: 0 }
    }

    /// How many agents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    /// Adds an agent, which connects at once.
    pub fn add(&mut self, identity: Identity) {
        self.connecting += 1;
        self.agents.spawn(live(Arc::clone(&self.url), identity, self.sender.clone()));
    }

    /// Waits for the next agent that tells this, and drops what else is told.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if none does for as long as `limit`.
    pub async fn next(&mut self, wanted: Heard, limit: Duration) -> Result<Stopwatch, BenchError> {
        loop {
            let next = tokio::time::timeout(limit, self.heard.recv()).await;
            let Ok(Some((heard, at))) = next else {
                return Err(BenchError::unexpected(format!("no agent told {wanted:?} any more")));
            };
            if heard == wanted {
                return Ok(at);
            }
        }
    }

    /// Waits until every agent that was added, or every one after a restart, is connected; when the
    /// last was.
    ///
    /// # Errors
    ///
    /// As [`Swarm::next`].
    pub async fn all_connected(&mut self, limit: Duration) -> Result<Stopwatch, BenchError> {
        let waiting = match std::mem::take(&mut self.connecting) {
            0 => self.len(),
            added => added,
        };
        let mut last = Stopwatch::start();
        for _ in 0..waiting {
            last = self.next(Heard::Connected, limit).await?;
        }
        Ok(last)
    }
}

async fn live(url: Arc<str>, identity: Identity, told: mpsc::UnboundedSender<(Heard, Stopwatch)>) {
    let mut wait = FIRST_WAIT;
    loop {
        if let Ok(link) = Link::open(&url, &identity).await {
            wait = FIRST_WAIT;
            // Nobody listens at the very end only.
            let _ = told.send((Heard::Connected, Stopwatch::start()));
            hold(link, &told).await;
        }
        tokio::time::sleep(jittered(wait)).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Until the stream ends.
async fn hold(mut link: Link, told: &mpsc::UnboundedSender<(Heard, Stopwatch)>) {
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    loop {
        let is_alive = tokio::select! {
            offer = link.offer() => {
                offer.is_ok_and(|()| told.send((Heard::Offer, Stopwatch::start())).is_ok())
            }
            _ = heartbeat.tick() => link.heartbeat().await.is_ok(),
        };
        if !is_alive {
            return;
        }
    }
}

/// Half to all of the wait.
fn jittered(wait: Duration) -> Duration {
    wait / 2 + wait * u32::from(OsEntropy.bytes32()[0]) / 510
}
