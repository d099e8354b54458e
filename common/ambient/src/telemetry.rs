//! Log set-up shared by both binaries. Spans and events carry ids, never values.

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person at a terminal.
    Text,
    /// One JSON object a line, for a log collector.
    Json,
}

/// Sends log lines to standard error, filtered by `filter` (such as `info` or `fedval=debug`).
///
/// A second call in one process changes nothing: the first subscriber stays.
pub fn init(format: LogFormat, filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let already_set = match format {
        LogFormat::Text => builder.with_ansi(false).try_init().is_err(),
        LogFormat::Json => builder.json().flatten_event(true).try_init().is_err(),
    };
    if already_set {
        tracing::debug!("telemetry already initialised");
    }
}
