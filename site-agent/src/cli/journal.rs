//! `fedval-agent journal show | verify`.

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Failure, Timestamp};
use fedval_study::RoundId;
use fedval_vault::{Event, JournalEntry};
use serde_json::json;

use super::args::Journal;
use crate::home::Home;

pub(super) async fn run(home: &Home, command: &Journal, output: Output) -> Result<(), Failure> {
    let entries = home.vault().await?.journal_verify().await?;
    match command {
        Journal::Show => show(&entries, output),
        Journal::Verify => output.say(
            &json!({ "holds": true, "entries": entries.len() }),
            &format!("The journal holds: {} entries, none changed or missing.", entries.len()),
        ),
    }
    Ok(())
}

fn show(entries: &[JournalEntry], output: Output) {
    let text = if entries.is_empty() {
        "The journal is empty.".to_owned()
    } else {
        let rows = entries.iter().map(|entry| {
            let (what, job, more) = told(&entry.event);
            vec![
                entry.sequence.to_string(),
                Timestamp::from_unix_millis(entry.at_ms).to_string(),
                what.to_owned(),
                job.map(ToString::to_string).unwrap_or_default(),
                more,
            ]
        });
        table(&["entry", "when", "what", "job", "more"], rows)
    };
    output.say(&json!({ "journal": entries }), &text);
}

/// What happened, to which job, and what else there is to say.
fn told(event: &Event) -> (&'static str, Option<&RoundId>, String) {
    match event {
        Event::Committed { round, approver, bits, .. } => {
            ("released", Some(round), format!("{bits} bits, approved by {approver}"))
        }
        Event::Accepted { approver, missing } => {
            ("ledger accepted", None, format!("{missing} entries missing, accepted by {approver}"))
        }
        Event::Sent { round, .. } => ("sent", Some(round), String::new()),
        Event::Lost { round } => ("asked for again", Some(round), String::new()),
        Event::Forbidden { round, by } => ("forbidden call", Some(round), by.code().to_owned()),
    }
}
