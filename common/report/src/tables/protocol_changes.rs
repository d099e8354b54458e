//! What each version of the protocol changed.

use super::{Csv, Field};
use crate::report::Report;

pub(super) fn table(report: &Report) -> Csv {
    let mut table = Csv::new(&["version", "locked_at", "reason", "path", "before", "after"]);
    for version in &report.study.history {
        let number = version.version.to_string();
        let reason = version.reason.as_deref().unwrap_or_default();
        for change in &version.changes {
            let text = |value: &'_ Option<String>| value.clone().unwrap_or_default();
            let (before, after) = (text(&change.before), text(&change.after));
            let row = [&*number, &*version.locked_at, reason, &*change.path, &*before, &*after];
            table.row(row.map(Field::Text));
        }
    }
    table
}
