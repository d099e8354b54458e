//! A report of many sites: assembled, signed, rendered, packed and verified. Figures and how to rerun them
//! are in `README.md`.
//!
//! Each mode is a process of its own, so that its peak memory is that of what it measures.

#[path = "../../../../common/report/tests/cohort/mod.rs"]
#[expect(clippy::unwrap_used, reason = "test data; a failed unwrap is a bug here")]
mod cohort;
#[path = "../../../../common/report/tests/consortium/mod.rs"]
#[expect(clippy::unwrap_used, reason = "test data; a failed unwrap is a bug here")]
mod consortium;
mod hostile;
mod large;
mod measured;

use std::error::Error;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures the report of a large consortium.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Write the package of an invented consortium.
    Write {
        /// Where to.
        folder: PathBuf,
        /// Sites, all of which release.
        #[arg(long, default_value_t = 1000)]
        sites: usize,
        /// Categories of each of four dimensions.
        #[arg(long, default_value_t = 25)]
        categories: usize,
        /// Operating points.
        #[arg(long, default_value_t = 5)]
        points: usize,
    },
    /// Make a package again from the evidence in one that was written: read, assembled, signed, rendered, packed,
    /// verified.
    Build {
        /// The folder that was written.
        folder: PathBuf,
    },
    /// Show the report in a package that was written: as a page, on paper, in tables and pictures.
    Render {
        /// The folder that was written.
        folder: PathBuf,
    },
    /// Verify a folder or an archive, as `fedval verify` does; the root is the one of `write`.
    Verify {
        /// Folder or archive.
        package: PathBuf,
    },
    /// Write archives that nobody should take; `fedval verify` is to refuse each.
    Hostile {
        /// A folder that was written, to begin from.
        package: PathBuf,
        /// Where to.
        folder: PathBuf,
    },
}

fn main() -> Result<(), Box<dyn Error>> {
    match Args::parse().mode {
        Mode::Write { folder, sites, categories, points } => {
            let plan = large::plan(categories, points);
            let answers = large::answers(&plan, sites);
            measured::write(&folder, &plan, &answers)
        }
        Mode::Build { folder } => measured::build(&folder),
        Mode::Render { folder } => measured::render(&folder),
        Mode::Verify { package } => measured::verify(&package),
        Mode::Hostile { package, folder } => hostile::write(&package, &folder),
    }
}
