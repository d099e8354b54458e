//! One executable in four roles: the demo, and the processes that it starts.

mod tether;

use std::ffi::OsString;
use std::process::ExitCode;

use fedval_demo::federation::TETHERED;

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().skip(1).collect();
    // First of all: a box must be closed before anything else happens in its process.
    if let Some(exit) = args.first().and_then(|role| in_box(role.to_str()?)) {
        return exit;
    }
    if args.first().is_some_and(|first| first == TETHERED) {
        args.remove(0);
        tether::tie_to_standard_input();
    }
    let role = args.first().and_then(|role| role.to_str()).unwrap_or_default();
    match role {
        "coordinator" => fedval::cli::run(args.into_iter().skip(1)),
        "agent" => fedval_agent::cli::run(args.into_iter().skip(1)),
        _ => fedval_demo::run(args),
    }
}

/// Decoding or inference for an agent, where that is the process's role.
fn in_box(role: &str) -> Option<ExitCode> {
    if !role.starts_with("__") {
        return None;
    }
    fedval_agent::box_main(role)
}
