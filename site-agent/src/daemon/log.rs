//! Follows the coordinator's log and signs where it stood, so that a history that is rewritten or shown to
//! some alone does not carry this site's signature.

use fedval_ambient::{Failure, Problem as _};
use fedval_egress::LogExtension;
use fedval_study::{Canonical, LogCheckpoint};
use fedval_trust::{PayloadType, Role, SignedDocument};

use super::Agent;
use super::link::Link;

/// Follows the log to its end. What keeps the site from it is told in this site's log of events, and
/// keeps no work from being done: the signature is what is withheld.
///
/// # Errors
///
/// [`Failure`] if this machine failed.
pub(super) async fn follow(agent: &Agent, link: &dyn Link) -> Result<(), Failure> {
    let seen = agent.vault.log_seen().await?;
    if seen.broken.is_some() {
        tracing::error!(code = "LOG_REWRITTEN", "the coordinator's log is another than before");
        return Ok(());
    }
    let known = seen.tree;
    let mut tree = known.clone();
    loop {
        let extension = match link.log_extend(tree.leaves()).await {
            Ok(extension) => extension,
            Err(error) => {
                tracing::info!(code = error.code(), "the log was not followed");
                return Ok(());
            }
        };
        let checkpoint = LogCheckpoint {
            log: agent.identity.root.fingerprint().0,
            entries: extension.entries,
            root: extension.root,
        };
        if !is_signed(agent, checkpoint, &extension) {
            tracing::warn!(code = "LOG_NOT_SIGNED", "a state of the log without a signature");
            return Ok(());
        }
        let is_behind = tree.leaves() < extension.entries && !extension.leaves.is_empty();
        tree.extend(extension.leaves);
        if is_behind && tree.leaves() < extension.entries {
            continue;
        }
        if (tree.leaves(), tree.root()) != (checkpoint.entries, checkpoint.root) {
            agent.vault.log_break(checkpoint.entries).await?;
            tracing::error!(
                code = "LOG_REWRITTEN",
                entries = checkpoint.entries,
                "the coordinator's log is another than before"
            );
            return Ok(());
        }
        if tree == known {
            return Ok(());
        }
        // Signed first: what is known is signed.
        match link.log_cosign(checkpoint, &agent.identity.key).await {
            Ok(()) => agent.vault.log_follow(&tree).await?,
            Err(error) => {
                tracing::info!(code = error.code(), "the signature of the log was not taken");
            }
        }
        return Ok(());
    }
}

fn is_signed(agent: &Agent, checkpoint: LogCheckpoint, extension: &LogExtension) -> bool {
    let Ok(canonical) = Canonical::new(checkpoint) else { return false };
    let document = SignedDocument {
        payload_type: PayloadType::LogCheckpoint,
        bytes: canonical.into_bytes(),
        endorsements: vec![extension.endorsement.clone()],
    };
    document.verify(&Role::Coordinator, &agent.identity.root, agent.clock.now()).is_ok()
}
