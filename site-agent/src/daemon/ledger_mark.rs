//! Whether this site's ledger forgot something: it was restored from a backup.

use fedval_ambient::Failure;
use fedval_study::{LedgerMark, Sha256Digest};
use fedval_trust::{Endorsement, PayloadType, Role, Signature, SignedDocument, ledger_mark};

use super::Agent;

/// What the coordinator shows of this site's ledger.
pub(super) struct ShownMark {
    pub(super) entries: u64,
    pub(super) head: Sha256Digest,
    pub(super) signature: Signature,
    pub(super) countersignature: Endorsement,
}

/// Notes a mark that carries this site's own signature and the coordinator's. Where entries are
/// missing, nothing is released until a steward looked into it.
pub(super) async fn hear(agent: &Agent, shown: &ShownMark) -> Result<(), Failure> {
    let identity = &agent.identity;
    let mark = LedgerMark { site: identity.site.clone(), entries: shown.entries, head: shown.head };
    let is_own = ledger_mark::verifies(identity.key.public(), &mark, &shown.signature);
    if !is_own || !is_countersigned(agent, &mark, shown) {
        tracing::warn!(code = "LEDGER_MARK_FOREIGN", "a mark that nobody here signed was ignored");
        return Ok(());
    }
    let missing = agent.vault.ledger_seen(&mark).await?;
    if missing > 0 {
        tracing::error!(code = "LEDGER_ROLLED_BACK", missing, "this site's ledger forgot entries");
    }
    Ok(())
}

fn is_countersigned(agent: &Agent, mark: &LedgerMark, shown: &ShownMark) -> bool {
    let Ok(canonical) = fedval_study::Canonical::new(mark.clone()) else { return false };
    let document = SignedDocument {
        payload_type: PayloadType::LedgerMark,
        bytes: canonical.bytes().to_vec(),
        endorsements: vec![shown.countersignature.clone()],
    };
    document.verify(&Role::Coordinator, &agent.identity.root, agent.clock.now()).is_ok()
}
