//! What disclosure control costs: the gate's time and memory, and what a report can still say. Figures and
//! how to rerun them are in `README.md`.

mod speed;
#[path = "../../../../common/study/tests/support/mod.rs"]
#[expect(clippy::unwrap_used, reason = "test data; a failed unwrap is a bug here")]
mod support;
mod utility;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures disclosure control.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Time and peak memory of the gate on large tables over many earlier releases.
    Speed(speed::Speed),
    /// Bias and width that each profile costs a report.
    Utility(utility::Utility),
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Speed(speed) => speed.run(),
        Command::Utility(utility) => utility.run(),
    }
    ExitCode::SUCCESS
}

/// Prints a line. A reader who went away is no reason to stop.
fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}
