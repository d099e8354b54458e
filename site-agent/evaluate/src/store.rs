//! Where checkpoints go, and where they come from.

use std::sync::Arc;

use fedval_disclosure::SiteLocal;
use fedval_study::RoundId;
use fedval_vault::{Checkpoint, ShardFile, Vault, VaultError};

use crate::lane::Done;

/// What keeps the checkpoints of an evaluation.
#[derive(Debug, Clone)]
pub enum Store<'e> {
    /// The agent's vault.
    Vault(&'e Vault),
    /// The file of one process of several.
    Shard(Arc<ShardFile>),
}

impl Store<'_> {
    /// Whether it is one process's of several, on whatever machine.
    pub(crate) const fn is_shard(&self) -> bool {
        matches!(self, Self::Shard(_))
    }

    /// Records what became of cases: it is on the disk when this returns.
    pub(crate) async fn put_all(
        &self,
        round: &RoundId,
        cases: Vec<Done>,
    ) -> Result<(), VaultError> {
        match self {
            Self::Vault(vault) => {
                let cases = cases.iter().map(|case| (case.index, &case.checkpoint));
                vault.checkpoint_put_all(round, cases).await
            }
            Self::Shard(file) => {
                let file = Arc::clone(file);
                let written = tokio::task::spawn_blocking(move || {
                    file.append(cases.iter().map(|case| (case.index, &case.checkpoint)))
                });
                written.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
            }
        }
    }

    /// Calls `with` for the case of each checkpoint, by its place in the manifest: some thousands are in memory at once. Of a
    /// case that was recorded again the last call counts.
    pub(crate) async fn for_each(
        &self,
        round: &RoundId,
        mut with: impl FnMut(usize, &Checkpoint),
    ) -> Result<(), VaultError> {
        match self {
            Self::Vault(vault) => {
                let mut from = 0;
                loop {
                    let page = vault.checkpoint_page(round, from).await?;
                    let page = page.open_on_site();
                    let Some((last, _)) = page.last() else { return Ok(()) };
                    from = last + 1;
                    for (index, checkpoint) in page {
                        with(*index, checkpoint);
                    }
                }
            }
            Self::Shard(file) => {
                let mut cases = file.read()?;
                loop {
                    let piece: Vec<(usize, SiteLocal<Checkpoint>)> = cases.next_piece()?;
                    if piece.is_empty() {
                        return Ok(());
                    }
                    for (index, checkpoint) in &piece {
                        with(*index, checkpoint.open_on_site());
                    }
                }
            }
        }
    }
}
