//! What commands print: tables for people, JSON for scripts.

use std::io::{self, Write as _};
use std::process::ExitCode;

use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use fedval_ambient::Failure;
use serde_json::{Value, json};

/// Where and how a command prints.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints `value` for scripts or `text` for people. A reader that went away is no error.
    pub(super) fn say(self, value: &Value, text: &str) {
        let mut out = io::stdout().lock();
        let _ = if self.json { writeln!(out, "{value}") } else { writeln!(out, "{text}") };
    }

    /// A line about progress, on standard error so that it never mixes with the answer.
    pub(super) fn progress(self, text: &str) {
        if !self.json {
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    pub(super) fn fail(self, failure: &Failure) -> ExitCode {
        let mut err = io::stderr().lock();
        let _ = if self.json {
            let value = json!({
                "error": failure.message, "code": failure.code, "remedy": failure.remedy,
                "causes": failure.causes,
            });
            writeln!(err, "{value}")
        } else {
            writeln!(err, "{failure}")
        };
        failure.exit.into()
    }
}

/// A table with a header row.
pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}
