//! A progress bar on this site's own terminal. Counts of cases never go into logs: logs are egress.

use std::convert::Infallible;
use std::io::IsTerminal as _;
use std::time::Duration;

use fedval_evaluate::Progress;
use indicatif::{ProgressBar, ProgressStyle};

const REDRAW_MILLIS: u64 = 200;

/// Draws until it is dropped; draws nothing where nobody looks.
pub(crate) async fn show(what: &str, progress: &Progress) -> Infallible {
    if !std::io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}");
    let bar = ProgressBar::new(0)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what.to_owned());
    loop {
        let (done, total) = progress.get();
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        tokio::time::sleep(Duration::from_millis(REDRAW_MILLIS)).await;
    }
}
