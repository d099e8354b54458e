//! Background job: tells open connections that something changed, whichever replica changed it.
//!
//! One look at a counter a second for the whole process, instead of one for each of its agents.

use std::sync::Arc;
use std::time::Duration;

use fedval_core::Coordinator;
use tokio::sync::{Notify, watch};

/// How late another replica's change is heard of.
const LOOK_SECONDS: u64 = 1;

/// What open connections wait for. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Changes {
    seen: Arc<watch::Sender<u64>>,
    look: Arc<Notify>,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self { seen: Arc::new(watch::Sender::new(0)), look: Arc::new(Notify::new()) }
    }

    /// Looks at once: this replica changed something itself.
    pub(crate) fn look(&self) {
        self.look.notify_one();
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.seen.subscribe()
    }

    /// Looks for as long as the server runs.
    pub(crate) async fn watch(self, coordinator: Coordinator) {
        loop {
            match coordinator.store().change_count().await {
                Ok(count) => {
                    self.seen.send_if_modified(|seen| std::mem::replace(seen, count) != count);
                }
                Err(error) => {
                    tracing::warn!(operation = error.operation, "changes not looked for");
                }
            }
            tokio::select! {
                () = self.look.notified() => {}
                () = tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)) => {}
            }
        }
    }
}
