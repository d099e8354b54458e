//! `fedval-agent`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).peekable();
    let role = args.peek().and_then(|role| role.to_str());
    if let Some(exit) = role.and_then(fedval_agent::box_main) {
        return exit;
    }
    fedval_agent::cli::run(args)
}
