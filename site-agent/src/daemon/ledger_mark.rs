//! What the coordinator shows of this site's ledger, under this site's signature and its own: whether this site forgot
//! something, since it was restored from a backup, or the coordinator did.

use fedval_ambient::Failure;
use fedval_study::{LedgerMark, Sha256Digest};
use fedval_trust::{Endorsement, PayloadType, Role, Signature, SignedDocument, ledger_mark};

use super::Agent;

/// This site never signed it.
const FOREIGN: &str = "LEDGER_MARK_FOREIGN";
/// The coordinator did not sign what it shows.
const UNSIGNED: &str = "LEDGER_MARK_UNSIGNED";
/// The coordinator signed a larger one before.
const OLDER: &str = "LEDGER_MARK_OLDER";
/// This site's journal does not hold what the site signed.
const ROLLED_BACK: &str = "LEDGER_ROLLED_BACK";

/// What the coordinator shows of this site's ledger.
pub(super) struct ShownMark {
    pub(super) entries: u64,
    pub(super) head: Sha256Digest,
    pub(super) signature: Signature,
    pub(super) countersignature: Endorsement,
}

/// Holds a mark that carries this site's own signature against its journal: where entries are missing, nothing is
/// released until a steward looked into it. One that the coordinator signed as well is kept with that signature.
/// The code of what is wrong, if anything is.
pub(super) async fn hear(
    agent: &Agent,
    shown: &ShownMark,
) -> Result<Option<&'static str>, Failure> {
    let identity = &agent.identity;
    let mark = LedgerMark { site: identity.site.clone(), entries: shown.entries, head: shown.head };
    if !ledger_mark::verifies(identity.key.public(), &mark, &shown.signature) {
        tracing::warn!(code = FOREIGN, "a mark that this site did not sign was ignored");
        return Ok(Some(FOREIGN));
    }
    // What this site signed it cannot deny, whoever shows it.
    let missing = agent.vault.ledger_seen(&mark).await?;
    if missing > 0 {
        tracing::error!(code = ROLLED_BACK, missing, "this site's ledger forgot entries");
    }
    let problem = keep(agent, &mark, &shown.countersignature).await?;
    Ok(if missing > 0 { Some(ROLLED_BACK) } else { problem })
}

/// Keeps a mark with the coordinator's signature, so that it cannot take back what it signed.
async fn keep(
    agent: &Agent,
    mark: &LedgerMark,
    countersignature: &Endorsement,
) -> Result<Option<&'static str>, Failure> {
    if !is_countersigned(agent, mark, countersignature) {
        tracing::error!(code = UNSIGNED, "a mark without the coordinator's signature was refused");
        return Ok(Some(UNSIGNED));
    }
    let now = agent.clock.now();
    if agent.vault.mark_countersigned(mark, countersignature, now).await? {
        return Ok(None);
    }
    let entries = mark.entries;
    tracing::error!(code = OLDER, entries, "the coordinator signed more entries before");
    Ok(Some(OLDER))
}

fn is_countersigned(agent: &Agent, mark: &LedgerMark, countersignature: &Endorsement) -> bool {
    let Ok(canonical) = fedval_study::Canonical::new(mark.clone()) else { return false };
    let document = SignedDocument {
        payload_type: PayloadType::LedgerMark,
        bytes: canonical.into_bytes(),
        endorsements: vec![countersignature.clone()],
    };
    document.verify(&Role::Coordinator, &agent.identity.root, agent.clock.now()).is_ok()
}
