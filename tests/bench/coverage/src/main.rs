//! How often 95 % intervals hold the truth: how it is simulated, and what came out, is in `README.md`.

mod cohort;
mod measure;
mod scenario;
mod table;
mod tally;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use clap::Parser;

use measure::Measured;
use scenario::Scenario;

/// Simulates rounds of hospitals and counts how often the engine's intervals hold the truth.
#[derive(Debug, Parser)]
struct Args {
    /// Rounds of each scenario.
    #[arg(long, default_value_t = 2_000)]
    replicates: u32,
    /// Every random number follows from this and the scenario's place in the grid.
    #[arg(long, default_value_t = 20_261_126)]
    seed: u64,
    /// Scenarios that are simulated at the same time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Where every scenario's coverage is written, as a table of values.
    #[arg(long, default_value = "coverage.csv")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let measured = simulate(&args);
    if let Err(error) = fs::write(&args.out, table::values(&measured)) {
        say(&format!("{} cannot be written: {error}", args.out.display()));
        return ExitCode::FAILURE;
    }
    say(&table::summary(&measured, &args));
    ExitCode::SUCCESS
}

/// Every scenario, in the order of the grid whatever is done first.
fn simulate(args: &Args) -> Vec<(Scenario, Measured)> {
    let grid = scenario::grid();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..args.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(scenario) = grid.get(place) else { return };
                    let measured = measure::run(scenario, args, place);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((place, measured));
                    let _ = write!(std::io::stderr(), "\r{} of {}", done.len(), grid.len());
                }
            });
        }
    });
    let _ = writeln!(std::io::stderr());
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    grid.into_iter().zip(done.into_iter().map(|(_, measured)| measured)).collect()
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(text: &str) {
    println!("{text}");
}
