//! `fedval-agent log`: how far this site followed the coordinator's log.

use fedval_ambient::Failure;
use fedval_ambient::terminal::Output;
use fedval_study::MerkleTree;
use fedval_vault::{LogSeen, SignedLogState, Vault};
use serde_json::{Value, json};

use super::args::Log;
use crate::home::Home;

pub(super) async fn run(home: &Home, command: &Log, output: Output) -> Result<(), Failure> {
    match command {
        Log::Show => show(home, output).await,
        Log::Accept => accept(home, output).await,
    }
}

async fn show(home: &Home, output: Output) -> Result<(), Failure> {
    let root = home.identity()?.root.fingerprint().0;
    let vault = home.vault().await?;
    let LogSeen { tree, signed, broken } = vault.log_seen().await?;
    let contradiction = match broken {
        None => Value::Null,
        Some(_) => both(&vault, &tree).await?.iter().map(signed_state).collect(),
    };
    let state = match broken {
        None => "It went on from there ever since. This site signs every state that it follows."
            .to_owned(),
        Some(entries) => format!(
            "The coordinator then showed a log of {entries} entries that does not go on from it: entries were \
             changed or taken away. This site signs nothing more. With --json: both states, each with the \
             coordinator's own signature.\n\nAsk the operator why: a coordinator that was restored from a backup \
             forgets. Then: fedval-agent log accept"
        ),
    };
    output.say(
        &json!({ "log": root, "entries": tree.leaves(), "root": tree.root(), "signed": signed,
                 "broken": broken, "contradiction": contradiction }),
        &format!(
            "Followed to entry {}, signed to entry {signed}, root {}\n{state}",
            tree.leaves(),
            tree.root()
        ),
    );
    Ok(())
}

/// What the coordinator signed of the log that was followed, and of the one that it showed last; the first is missing
/// where an earlier release followed it.
async fn both(vault: &Vault, followed: &MerkleTree) -> Result<Vec<SignedLogState>, Failure> {
    let followed = vault.log_state_find(followed.leaves(), followed.root()).await?;
    let shown = vault.log_state_last().await?;
    Ok(followed.into_iter().chain(shown).collect())
}

fn signed_state(state: &SignedLogState) -> Value {
    json!({ "checkpoint": state.checkpoint, "endorsement": state.endorsement,
            "seen_at": state.seen_at.to_string() })
}

async fn accept(home: &Home, output: Output) -> Result<(), Failure> {
    let vault = home.vault().await?;
    let seen = vault.log_seen().await?;
    if seen.broken.is_none() {
        output.say(&json!({ "forgotten": 0 }), "The log went on as it should; nothing to accept.");
        return Ok(());
    }
    vault.log_forget().await?;
    output.say(
        &json!({ "forgotten": seen.tree.leaves() }),
        &format!(
            "This site follows the log anew from its first entry. What it signed of the old one, {} entries, \
             stands in packages that hold it.",
            seen.tree.leaves()
        ),
    );
    Ok(())
}
