//! `fedval-agent ledger show` and `journal verify`.

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Clock as _, Failure, SystemClock};
use serde_json::json;

use super::args::{Journal, Ledger};
use crate::home::Home;

pub(super) async fn run(home: &Home, command: &Ledger, output: Output) -> Result<(), Failure> {
    match command {
        Ledger::Accept { by } => accept(home, by, output).await,
        Ledger::Show { cohort } => show(home, cohort.as_deref(), output).await,
    }
}

async fn accept(home: &Home, by: &str, output: Output) -> Result<(), Failure> {
    let missing = home.vault().await?.ledger_accept(by, SystemClock.now()).await?;
    let text = if missing == 0 {
        "No entry of the ledger is missing; nothing had to be accepted.".to_owned()
    } else {
        format!(
            "{by} accepts that {missing} entries are missing. What they told is not held against \
             further releases."
        )
    };
    output.say(&json!({ "missing": missing, "approver": by }), &text);
    Ok(())
}

async fn show(home: &Home, cohort: Option<&str>, output: Output) -> Result<(), Failure> {
    let cohort_of = |entry: &fedval_vault::LedgerEntry| {
        entry.cohort.map(|cohort| cohort.to_string()).unwrap_or_default()
    };
    let mut entries = home.vault().await?.ledger_list().await?;
    if let Some(prefix) = cohort {
        entries.retain(|entry| cohort_of(entry).starts_with(prefix));
    }
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| {
            json!({ "job": entry.round, "study": entry.study, "outcome": entry.outcome,
                    "cohort": cohort_of(entry), "model_digest": entry.model.to_string(),
                    "digest": entry.digest.to_string(), "bits": entry.bits,
                    "approver": entry.approver, "committed_at": entry.committed_at.to_string() })
        })
        .collect();
    let text = if entries.is_empty() {
        "Nothing ever left this site.".to_owned()
    } else {
        table(
            &["when", "job", "told", "cohort", "model", "bits", "approved by"],
            entries.iter().map(|entry| {
                vec![
                    entry.committed_at.to_string(),
                    entry.round.to_string(),
                    entry.outcome.clone(),
                    cohort_of(entry).chars().take(12).collect(),
                    entry.model.0.short(),
                    entry.bits.to_string(),
                    entry.approver.clone(),
                ]
            }),
        )
    };
    output.say(&json!({ "ledger": rows }), &text);
    Ok(())
}

pub(super) async fn verify(home: &Home, command: &Journal, output: Output) -> Result<(), Failure> {
    let Journal::Verify = command;
    let entries = home.vault().await?.journal_verify().await?;
    output.say(
        &json!({ "holds": true, "entries": entries.len() }),
        &format!("The journal holds: {} entries, none changed or missing.", entries.len()),
    );
    Ok(())
}
