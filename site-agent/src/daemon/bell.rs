//! Rings when the vault may have changed, so that nobody has to look all the time.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

/// A steward's command is another process: its change is noticed this late.
const LOOK_MILLIS: u64 = 250;

/// Who changed the vault rings; who waits for a change listens.
#[derive(Debug)]
pub struct Bell(watch::Sender<()>);

impl Default for Bell {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Bell {
    /// Wakes everybody who listens.
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// Hears every ring from now on.
    pub(super) fn listen(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }

    /// Rings whenever one of the files changes, for as long as the agent runs.
    pub(super) async fn ring_for(&self, files: Vec<PathBuf>) {
        let mut seen = Vec::new();
        loop {
            let now: Vec<_> = files.iter().map(stamp).collect();
            if now != seen {
                seen = now;
                self.ring();
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MILLIS)).await;
        }
    }
}

/// What changes with a file: its length, and when it was written.
fn stamp(file: &PathBuf) -> Option<(u64, SystemTime)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// Waits for a ring, but not longer than `most`.
pub(super) async fn heard(bell: &mut watch::Receiver<()>, most: Duration) {
    let _ = tokio::time::timeout(most, bell.changed()).await;
}
