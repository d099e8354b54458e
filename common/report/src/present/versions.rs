//! The versions of the protocol: when each was locked, why, and what it changed.

use fedval_study::protocol::Change;

use super::markup::Markup;
use super::table::{Row, Table};
use crate::report::{ProtocolVersion, Report};

/// Up to so many changes of a version, each is shown.
const MOST: usize = 60;
/// So many characters of a value are shown.
const LONGEST: usize = 240;

/// How the protocol came to be what it is.
#[derive(Debug)]
pub(crate) struct Versions {
    /// A sentence for each version.
    pub(crate) sentences: Vec<String>,
    /// What each amendment changed; absent where there was none.
    pub(crate) changes: Option<Table>,
}

/// `None` where an earlier release recorded the round.
pub(super) fn of(report: &Report) -> Option<Versions> {
    let history = &report.study.history;
    if history.is_empty() {
        return None;
    }
    Some(Versions { sentences: history.iter().map(sentence).collect(), changes: changes(history) })
}

/// What the first page says beside the number of the version; empty where nothing was amended.
pub(crate) fn amended(report: &Report) -> &'static str {
    match report.study.history.len() {
        0 | 1 => "",
        2 => ", amended once",
        _ => ", amended more than once",
    }
}

fn sentence(of: &ProtocolVersion) -> String {
    let results = match of.results_before {
        0 => "before any result of the study was recorded".to_owned(),
        1 => "after one result of the study was recorded".to_owned(),
        more => format!("after {more} results of the study were recorded"),
    };
    let reason = of.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("Version {} was locked at {}, {results}{reason}", of.version, of.locked_at)
}

fn changes(history: &[ProtocolVersion]) -> Option<Table> {
    let caption =
        "What each amendment changed. Whatever is not listed is as it was in the version before.";
    let columns = [("Where", "text"), ("Before", "text"), ("After", "text")];
    let mut table = Table::new(Markup::text(caption), &columns);
    for version in history.iter().skip(1) {
        let all = version.changes.len();
        let more = if all > MOST { format!(": {MOST} of {all} changes") } else { String::new() };
        table.rows.push(Row::group(Markup::text(format!("Version {}{more}", version.version))));
        table.rows.extend(version.changes.iter().take(MOST).map(row));
    }
    (history.len() > 1).then_some(table)
}

fn row(change: &Change) -> Row {
    let cell = |value: &Option<String>| Markup::text(value.as_deref().map_or("–".to_owned(), cut));
    Row::new(Markup::text(&change.path), vec![cell(&change.before), cell(&change.after)])
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
