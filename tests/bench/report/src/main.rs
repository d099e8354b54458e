//! A report of many sites: assembled, signed, rendered, packed and verified. Figures and how to rerun them
//! are in `README.md`.

#[path = "../../../../common/report/tests/cohort/mod.rs"]
#[expect(clippy::unwrap_used, reason = "test data; a failed unwrap is a bug here")]
mod cohort;
#[path = "../../../../common/report/tests/consortium/mod.rs"]
#[expect(clippy::unwrap_used, reason = "test data; a failed unwrap is a bug here")]
mod consortium;
mod large;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use fedval_ambient::{Clock as _, SystemClock};
use fedval_report::{assemble, render_html, render_pdf, verify};

/// Measures the report of a large consortium.
#[derive(Debug, Parser)]
struct Args {
    /// Sites, all of which release.
    #[arg(long, default_value_t = 1000)]
    sites: usize,
    /// Categories of each of four dimensions.
    #[arg(long, default_value_t = 25)]
    categories: usize,
    /// Operating points.
    #[arg(long, default_value_t = 5)]
    points: usize,
    /// Keep the package there, for a person to look at.
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let plan = large::plan(args.categories, args.points);
    let answers = large::answers(&plan, args.sites);
    say(&format!("{} sites answered", answers.len()));
    let (protocol, round, results) = consortium::documents(&plan, &answers, large::OPENED);

    let clock = SystemClock.monotonic();
    let report = assemble(&protocol, &round, &results)?;
    say(&format!("assembled          {:>8.2} s", since(clock)));
    let clock = SystemClock.monotonic();
    let canonical = report.canonical()?;
    let kib = canonical.bytes().len() / 1024;
    say(&format!("report.json        {:>8.2} s, {kib} KiB", since(clock)));
    drop((round, results, canonical));

    let clock = SystemClock.monotonic();
    let html = render_html(&report, &[])?;
    say(&format!("report.html        {:>8.2} s, {} KiB", since(clock), html.len() / 1024));
    let clock = SystemClock.monotonic();
    let pdf = render_pdf(&report, &[])?;
    say(&format!("report.pdf         {:>8.2} s, {} KiB", since(clock), pdf.len() / 1024));
    drop((report, html, pdf));

    let everyone = consortium::Consortium::new(1);
    let clock = SystemClock.monotonic();
    let package = everyone.package(&plan, &answers);
    drop(answers);
    let files = package.files();
    say(&format!("signed, built, checked {:>4.2} s, {} files", since(clock), files.len()));
    drop(package);
    let clock = SystemClock.monotonic();
    let verification = verify(&files, Some(everyone.authority.root().fingerprint()));
    say(&format!("verified           {:>8.2} s, holds: {}", since(clock), verification.holds()));
    say(&format!("peak memory        {:>8} MiB", peak_mib()));
    if let Some(folder) = args.keep {
        keep(&folder, &files)?;
    }
    Ok(())
}

/// Seconds since a moment.
fn since(begun: Duration) -> f64 {
    SystemClock.monotonic().saturating_sub(begun).as_secs_f64()
}

fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// Prints a line. A reader who went away is no reason to stop.
fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

fn keep(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Box<dyn Error>> {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(&path, bytes)?;
    }
    Ok(())
}
