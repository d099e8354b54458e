//! What commands print: tables for people, JSON for scripts. Whatever it quotes cannot change the terminal.

use std::io::{self, Write as _};
use std::process::ExitCode;

use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Value, json};

use crate::{Failure, plain};

/// Where and how a command prints.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// JSON for scripts, or text for people.
    #[must_use]
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints `value` for scripts or `text` for people. A reader that went away is no error.
    pub fn say(self, value: &Value, text: &str) {
        let mut out = io::stdout().lock();
        let _ = if self.json { writeln!(out, "{value}") } else { writeln!(out, "{}", plain(text)) };
    }

    /// A line of an answer for people as soon as it is known; scripts get all of it at the end, by [`Self::say`].
    pub fn line(self, text: &str) {
        if !self.json {
            let _ = writeln!(io::stdout().lock(), "{}", plain(text));
        }
    }

    /// A line about progress, on standard error so that it never mixes with the answer.
    pub fn progress(self, text: &str) {
        if !self.json {
            let _ = writeln!(io::stderr().lock(), "{}", plain(text));
        }
    }

    /// Prints a failure on standard error and turns it into the process's exit code.
    #[must_use]
    pub fn fail(self, failure: &Failure) -> ExitCode {
        let mut err = io::stderr().lock();
        let _ = if self.json {
            let value = json!({
                "error": failure.message, "code": failure.code, "remedy": failure.remedy,
                "causes": failure.causes,
            });
            writeln!(err, "{value}")
        } else {
            writeln!(err, "{}", plain(&failure.to_string()))
        };
        failure.exit.into()
    }
}

/// A table with a header row.
#[must_use]
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}
