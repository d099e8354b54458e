//! Follows the coordinator's log and signs where it stood, so that a history that is rewritten or shown to
//! some alone does not carry this site's signature. What the coordinator signed of it is kept: two histories are then
//! proven by its own signatures.

use fedval_ambient::{Failure, Problem as _};
use fedval_egress::{EgressError, LogExtension};
use fedval_study::{Canonical, LogCheckpoint};
use fedval_trust::{PayloadType, Role, SignedDocument};

use super::Agent;
use super::link::Link;

/// Answers that one look takes at most: ten thousand entries each.
const MOST_PAGES: u32 = 100;

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
    let mut tree = seen.tree.clone();
    for _ in 0..MOST_PAGES {
        let Some(extension) = asked(link.log_extend(tree.leaves()).await) else { return Ok(()) };
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
        // Whatever it says: beside another state it proves that there are two histories.
        let now = agent.clock.now();
        agent.vault.log_state_keep(checkpoint, &extension.endorsement, now).await?;
        if (tree.leaves(), tree.root()) != (checkpoint.entries, checkpoint.root) {
            agent.vault.log_break(checkpoint.entries).await?;
            tracing::error!(
                code = "LOG_REWRITTEN",
                entries = checkpoint.entries,
                "the coordinator's log is another than before"
            );
            return Ok(());
        }
        // Known before it is signed: whoever holds the signature cannot have another one for less.
        agent.vault.log_follow(&tree).await?;
        if seen.signed < checkpoint.entries
            && asked(link.log_cosign(checkpoint, &agent.identity.key).await).is_some()
        {
            agent.vault.log_signed(checkpoint.entries).await?;
        }
        return Ok(());
    }
    Ok(())
}

/// An answer; that there was none is told here alone.
fn asked<T>(answer: Result<T, EgressError>) -> Option<T> {
    answer.inspect_err(|error| tracing::info!(code = error.code(), "the log was not followed")).ok()
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
