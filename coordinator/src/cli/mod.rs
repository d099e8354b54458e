//! `fedval`'s commands, one a file.

mod amend;
mod args;
mod backup;
mod draft;
mod init;
mod password;
mod person;
mod plan;
mod qualify;
mod report;
mod restore;
mod serve;
mod share;
mod sign;
mod site;
mod study;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use fedval_ambient::telemetry::{self, LogFormat};
use fedval_ambient::terminal::Output;
use fedval_ambient::{Exit, Failure, SystemClock, explain};

use args::{Args, Command};

/// Runs one command, given its arguments without the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(exit) = explain::answer(&args) {
        return exit;
    }
    let args = std::iter::once(OsString::from("fedval")).chain(args);
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let format = if args.log_json { LogFormat::Json } else { LogFormat::Text };
    telemetry::init(format, &args.log);
    let output = Output::new(args.json);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&no_runtime(&error)),
    };
    match runtime.block_on(dispatch(args, output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}

fn no_runtime(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Machine,
        "THREADS",
        format!("cannot start threads: {error}"),
        "raise this user's limit of processes",
    )
}

async fn dispatch(args: Args, output: Output) -> Result<(), Failure> {
    let home = crate::home::Home::new(&args.home);
    match args.command {
        Command::Init(command) => init::run(&home, &command, output).await,
        Command::Serve => serve::run(&home).await,
        Command::Site(command) => site::run(&home, command, output).await,
        Command::Person(command) => person::run(&home, command, output).await,
        Command::Study(command) => study::run(&home, command, output).await,
        Command::Report(command) => report::run(&home, command, output).await,
        Command::Verify(command) => verify::run(&command, output),
        Command::Qualify { cases } => qualify::run(cases.as_deref(), &SystemClock, output),
        Command::Backup { folder } => backup::run(&home, &folder, output).await,
        Command::Restore { folder } => restore::run(&home, &folder, output).await,
    }
}
