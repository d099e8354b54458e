//! `fedval`.

use std::process::ExitCode;

fn main() -> ExitCode {
    fedval::cli::run(std::env::args_os().skip(1))
}
