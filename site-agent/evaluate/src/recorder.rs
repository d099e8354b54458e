//! Checkpoints of all lanes on their way to the disk, several at a time.

use std::time::Duration;

use fedval_study::RoundId;
use fedval_vault::VaultError;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use crate::lane::Done;
use crate::progress::Progress;
use crate::purity::Pass;
use crate::store::Store;

/// Cases of one write. As many again may wait meanwhile: what a crash costs is little work.
pub(crate) const MOST_CASES: usize = 32;

/// How long the first case of a write waits for others. Each write waits for the disk, and a small
/// model scores a dozen cases meanwhile.
const GATHERING: Duration = Duration::from_millis(10);

/// Writes what is `done` until no lane is left; what was looked at again is returned.
pub(crate) async fn record(
    store: &Store<'_>,
    round: &RoundId,
    mut done: Receiver<Done>,
    progress: &Progress,
) -> Result<Vec<Done>, VaultError> {
    let mut again = Vec::new();
    while let Some(first) = done.recv().await {
        let mut cases = vec![first];
        // In time or not, what was gathered is written.
        let _ = timeout(GATHERING, gather(&mut done, &mut cases)).await;
        let count = cases.len();
        let (new, repeated): (Vec<_>, Vec<_>) =
            cases.into_iter().partition(|case| matches!(case.pass, Pass::First));
        again.extend(repeated);
        if !new.is_empty() {
            store.put_all(round, new).await?;
        }
        // Only what is on disk counts: an evaluation that goes on says where it truly was.
        progress.add(count);
    }
    Ok(again)
}

async fn gather(done: &mut Receiver<Done>, cases: &mut Vec<Done>) {
    while cases.len() < MOST_CASES {
        match done.recv().await {
            Some(case) => cases.push(case),
            None => return,
        }
    }
}
