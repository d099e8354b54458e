//! Images a second, decode to score, by the code that every site runs, beside the loop that a user
//! would write today.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod compare;
mod error;
mod evaluation;
mod figure;
mod made_table;
mod memory;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fedval_inference::{INFERENCE_ROLE, inference_box_main};
use fedval_ingest::{DECODE_ROLE, TABLE_ROLE, decode_box_main, table_box_main};
use serde::Serialize;

use error::BenchError;

/// Measures decoding and scoring.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Evaluates one site with the agent's own code and prints one line of JSON.
    Evaluate(evaluation::Site),
    /// Evaluates a prediction table that is made up on the spot and prints one line of JSON.
    Table(made_table::Recipe),
    /// Writes such a table.
    WriteTable(made_table::Writing),
    /// Evaluates such tables of both formats and two sizes and prints what they take, and what each case more does.
    Growth(table::Growth),
    /// Runs the agent's code and the loop in alternation and prints both with their ratio.
    Compare(compare::Comparison),
}

fn main() -> ExitCode {
    // Started again with a role, this program is a box, as the agent is.
    match std::env::args().nth(1).as_deref() {
        Some(TABLE_ROLE) => return table_box_main(),
        Some(DECODE_ROLE) => return decode_box_main(),
        Some(INFERENCE_ROLE) => return inference_box_main(),
        _ => {}
    }
    let done = match Args::parse().command {
        Command::Evaluate(site) => print(site.evaluate()),
        Command::Table(recipe) => print(table::evaluate(&recipe)),
        Command::WriteTable(writing) => writing.write(),
        Command::Growth(growth) => growth.run(),
        Command::Compare(comparison) => comparison.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn print<F: Serialize>(
    evaluation: impl Future<Output = Result<F, BenchError>>,
) -> Result<(), BenchError> {
    // As the agent has it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| BenchError::File { path: PathBuf::from("/proc/self/task"), source })?;
    let figure = runtime.block_on(evaluation)?;
    println!("{}", serde_json::to_string(&figure).map_err(BenchError::Figure)?);
    Ok(())
}
