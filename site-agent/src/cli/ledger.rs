//! `fedval-agent ledger show | accept`.

use std::collections::BTreeSet;

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Clock as _, Exit, Failure, SystemClock};
use fedval_study::{Canonical, RoundId, SiteResult};
use fedval_vault::{CountersignedMark, LedgerEntry, Vault};
use serde_json::{Value, json};

use super::args::Ledger;
use super::job::protocol_of;
use super::preview::tables;
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
    let vault = home.vault().await?;
    let all = vault.ledger_list().await?;
    let wanted =
        |entry: &&LedgerEntry| cohort.is_none_or(|prefix| cohort_of(entry).starts_with(prefix));
    let entries: Vec<&LedgerEntry> = all.iter().filter(wanted).collect();
    let mut rows = Vec::new();
    for entry in &entries {
        let others = others_about(entry, &all)?;
        rows.push(json!({ "job": entry.round, "study": entry.study, "outcome": entry.outcome,
                    "cohort": cohort_of(entry), "model_digest": entry.model.to_string(),
                    "digest": entry.digest.to_string(), "bits": entry.bits,
                    "rho_micro": entry.rho_micro, "patients": patients(entry)?,
                    "same_patients_in": others, "approver": entry.approver,
                    "committed_at": entry.committed_at.to_string() }));
    }
    let text = match (entries.is_empty(), cohort) {
        (true, None) => "Nothing ever left this site.".to_owned(),
        (true, Some(prefix)) => format!("Nothing was ever told about a cohort `{prefix}…`."),
        (false, None) => overview(&entries)?,
        (false, Some(_)) => told(&vault, &entries, &all).await?,
    };
    let countersigned = vault.countersigned_find().await?;
    let text = match &countersigned {
        Some(mark) => format!("{text}\n\n{}", countersigned_text(mark)),
        None => text,
    };
    output.say(
        &json!({ "ledger": rows, "countersigned": countersigned.as_ref().map(mark_json) }),
        &text,
    );
    Ok(())
}

fn countersigned_text(mark: &CountersignedMark) -> String {
    let (entries, at) = (mark.entries, mark.seen_at);
    format!("That this ledger had {entries} entries, the coordinator signed as well ({at}).")
}

fn mark_json(mark: &CountersignedMark) -> Value {
    json!({ "entries": mark.entries, "head": mark.head, "endorsement": mark.endorsement,
            "seen_at": mark.seen_at.to_string() })
}

fn cohort_of(entry: &LedgerEntry) -> String {
    entry.cohort.map(|cohort| cohort.to_string()).unwrap_or_default()
}

/// Patients that an answer was about.
fn patients(entry: &LedgerEntry) -> Result<Option<usize>, Failure> {
    let footprint = entry.footprint()?;
    Ok(footprint.map(|footprint| footprint.open_on_site().members.patients.len()))
}

/// Other answers about any of the same patients.
fn others_about(entry: &LedgerEntry, all: &[LedgerEntry]) -> Result<Vec<RoundId>, Failure> {
    let Some(own) = entry.footprint()? else { return Ok(Vec::new()) };
    let own: BTreeSet<_> = own.open_on_site().members.patients.iter().copied().collect();
    let mut others = Vec::new();
    for other in all.iter().filter(|other| other.round != entry.round) {
        let Some(footprint) = other.footprint()? else { continue };
        if footprint.open_on_site().members.patients.iter().any(|patient| own.contains(patient)) {
            others.push(other.round.clone());
        }
    }
    Ok(others)
}

fn overview(entries: &[&LedgerEntry]) -> Result<String, Failure> {
    let mut rows = Vec::new();
    for entry in entries {
        rows.push(vec![
            entry.committed_at.to_string(),
            entry.round.to_string(),
            entry.outcome.clone(),
            patients(entry)?.map(|patients| patients.to_string()).unwrap_or_default(),
            cohort_of(entry).chars().take(12).collect(),
            entry.model.0.short(),
            entry.bits.to_string(),
            entry.approver.clone(),
        ]);
    }
    let columns = ["when", "job", "told", "patients", "cohort", "model", "bits", "approved by"];
    Ok(format!(
        "{}\n\nNext: fedval-agent ledger show --cohort COHORT, for everything that was told about one",
        table(&columns, rows)
    ))
}

/// Everything that was told about a cohort, number by number.
async fn told(
    vault: &Vault,
    entries: &[&LedgerEntry],
    all: &[LedgerEntry],
) -> Result<String, Failure> {
    let mut parts = Vec::new();
    for entry in entries {
        let result: Canonical<SiteResult> = Canonical::parse(&entry.bytes).map_err(|error| {
            let restore = "restore the agent's folder from a backup";
            Failure::new(Exit::Machine, "VAULT_DAMAGED", error.to_string(), restore)
        })?;
        // What was told is shown also where the protocol's names cannot be read any more.
        let job = vault.job_find(&entry.round).await?;
        let protocol = job.and_then(|job| protocol_of(&job).ok());
        let task = protocol.map(|protocol| protocol.protocol().task.clone()).unwrap_or_default();
        let others = others_about(entry, all)?;
        let others = if others.is_empty() {
            "No other answer was about any of these patients.".to_owned()
        } else {
            let names: Vec<String> = others.iter().map(ToString::to_string).collect();
            format!("Also about some of these patients: {}", names.join(", "))
        };
        parts.push(format!(
            "{}: {} told {}, approved by {}\n{}\n{others}",
            entry.committed_at,
            entry.round,
            entry.outcome,
            entry.approver,
            tables::of(&result.value().outcome, &task)
        ));
    }
    Ok(parts.join("\n\n"))
}
