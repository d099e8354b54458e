//! The demo as a person starts it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use fedval_ambient::Failure;
use serde_json::Value;

use crate::console::Console;
use crate::error::DemoError;
use crate::federation::{self, Finished};
use crate::output_folder::OutputFolder;
use crate::result_table::{pooled_lines, sites_table, verdicts_table};

/// Runs fedval's main job on four invented hospitals: about half a minute, no network.
///
/// `cargo demo coordinator …` and `cargo demo agent …` run the two programs themselves.
#[derive(Debug, Parser)]
#[command(name = "cargo demo", version)]
struct Args {
    /// Folder for everything that the run makes; an earlier run's is replaced.
    #[arg(long, default_value = "fedval-demo")]
    out: PathBuf,
}

/// Runs the demo, given its arguments without the program's name.
#[must_use]
pub fn run(args: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let args = std::iter::once("cargo demo".into()).chain(args);
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Help and complaints go where clap sends them; a closed terminal is no error.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match demonstrate(&args.out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

fn demonstrate(out: &Path) -> Result<(), DemoError> {
    let folder = OutputFolder::create(out)?;
    let finished = federation::run(&folder, &Console::of_process())?;
    let path = finished.package.join("report.json");
    let io_error = |source| DemoError::Io { path: path.clone(), source };
    let report: Value = serde_json::from_slice(&fs::read(&path).map_err(io_error)?)
        .map_err(|error| io_error(error.into()))?;
    io::stdout()
        .write_all(summary(&report, &finished).as_bytes())
        .map_err(|source| DemoError::Io { path: PathBuf::from("standard output"), source })
}

fn summary(report: &Value, finished: &Finished) -> String {
    let package = finished.package.display();
    format!(
        "\n{}\n\n{}\n\n{}\n\n\
         Outside the hospitals: {} files, {} KiB, and no patient's name in them.\n\n\
         Report:  {package}/report.html\n\
         Verify:  cargo demo coordinator verify {package} --root {}\n",
        sites_table(report),
        pooled_lines(report),
        verdicts_table(report),
        finished.searched.files,
        finished.searched.bytes / 1024,
        finished.root_fingerprint,
    )
}

fn fail(error: DemoError) -> ExitCode {
    let mut terminal = io::stderr().lock();
    if let Some(log) = error.log() {
        let _ = writeln!(terminal, "\nthe last lines of {}:", log.display());
        for line in error.log_lines() {
            let _ = writeln!(terminal, "  │ {line}");
        }
    }
    let failure = Failure::from(error);
    let _ = writeln!(terminal, "\n{failure}");
    failure.exit.into()
}
