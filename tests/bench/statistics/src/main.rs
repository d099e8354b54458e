//! Times estimators: how, and beside what, is in `README.md`.

mod auroc;
mod masks;
mod noise;
mod synthesis;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use fedval_ambient::{Clock as _, SystemClock};
use fedval_stats::NotEstimable;
use fedval_stats::synthesis::EstimateError;
use serde_json::json;

/// Something that cannot be measured.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error("the data that this makes up cannot be estimated from")]
    NotEstimable(#[from] NotEstimable),
    #[error("the data that this makes up cannot be estimated from")]
    Estimates(#[from] EstimateError),
}

/// Times one estimator and prints a line of JSON: the median of several runs, in seconds.
#[derive(Debug, Parser)]
struct Args {
    /// Runs.
    #[arg(long, global = true, default_value_t = 15)]
    repeat: usize,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The AUROC with DeLong's interval of so many cases, from scores and labels.
    Auroc {
        /// Cases.
        #[arg(default_value_t = 1_000_000)]
        cases: usize,
    },
    /// Dice, HD95 and NSD of two ellipsoids in 128 × 256 × 256 voxels.
    Masks,
    /// REML with Hartung–Knapp over so many sites.
    Synthesis {
        /// Sites.
        #[arg(default_value_t = 50)]
        sites: usize,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    let timed = match args.what {
        What::Auroc { cases } => auroc::time(cases, args.repeat),
        What::Masks => masks::time(args.repeat),
        What::Synthesis { sites } => synthesis::time(sites, args.repeat),
    };
    match timed {
        Ok(line) => {
            say(&line);
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&json!({"error": error.to_string()}));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the figure is what this program is for")]
fn say(line: &serde_json::Value) {
    println!("{line}");
}

/// The median of several runs, in seconds, and what the last one gave.
fn median<T>(
    repeat: usize,
    mut run: impl FnMut() -> Result<T, BenchError>,
) -> Result<(f64, T), BenchError> {
    let mut last = run()?;
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..repeat.max(1) {
        let start = SystemClock.monotonic();
        last = run()?;
        times.push(SystemClock.monotonic().saturating_sub(start));
    }
    times.sort_unstable();
    Ok((times[times.len() / 2].as_secs_f64(), last))
}
