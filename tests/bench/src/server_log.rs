//! What the coordinator's log says, heard the moment it is written.
//!
//! Asking the coordinator every few milliseconds would take from the processors that it shares with
//! the agents; its log costs nothing. What was heard is verified by a question afterwards.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::ChildStderr;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::BenchError;
use crate::stopwatch::Stopwatch;

/// Something that the benchmarks wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An agent's work stream was opened.
    Connected,
    /// A site's result was recorded for the first time.
    Recorded,
}

/// Events with the moments at which they were heard.
#[derive(Debug)]
pub struct ServerLog {
    events: Receiver<(Event, Stopwatch)>,
}

impl ServerLog {
    /// Reads `log` to its end, copying it to the file `copy`.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if the copy cannot be written.
    pub fn follow(log: ChildStderr, copy: &Path) -> Result<Self, BenchError> {
        let mut copied =
            File::options().create(true).append(true).open(copy).map_err(BenchError::file(copy))?;
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                if let Some(event) = event(&line) {
                    // Nobody waits any more: the copy still grows.
                    let _ = sender.send((event, Stopwatch::start()));
                }
                let _ = writeln!(copied, "{line}");
            }
        });
        Ok(Self { events })
    }

    /// Waits for the next event, at most for `limit`.
    #[must_use]
    pub fn next(&self, limit: Duration) -> Option<(Event, Stopwatch)> {
        self.events.recv_timeout(limit).ok()
    }
}

fn event(line: &str) -> Option<Event> {
    let line: Value = serde_json::from_str(line).ok()?;
    match line["message"].as_str()? {
        "agent connected" | "work stream opened" => Some(Event::Connected),
        "result recorded" if line["duplicate"] != true => Some(Event::Recorded),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_counts_once_and_other_lines_do_not() {
        let recorded = r#"{"level":"INFO","message":"result recorded","duplicate":false}"#;
        assert_eq!(event(recorded), Some(Event::Recorded));
        assert_eq!(event(&recorded.replace("false", "true")), None);
        let opened = r#"{"level":"INFO","message":"work stream opened","site":"site-1"}"#;
        assert_eq!(event(opened), Some(Event::Connected));
        assert_eq!(event(r#"{"message":"coordinator started"}"#), None);
        assert_eq!(event("no JSON"), None);
    }
}
