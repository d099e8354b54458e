//! `fedval-agent`'s commands, one a file.

mod args;
mod backup;
mod check;
mod enrol;
mod evaluate_shard;
mod fault;
mod job;
mod journal;
mod ledger;
mod log;
mod pause;
mod policy;
mod preview;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use fedval_ambient::telemetry::{self, LogFormat};
use fedval_ambient::terminal::Output;
use fedval_ambient::{Exit, Failure, OsEntropy, SystemClock, explain};

use crate::daemon;
use crate::home::Home;
use args::{Args, Command};

/// Runs one command, given its arguments without the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(exit) = explain::answer(&args) {
        return exit;
    }
    let args = std::iter::once(OsString::from("fedval-agent")).chain(args);
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let format = if args.log_json { LogFormat::Json } else { LogFormat::Text };
    telemetry::init(format, &args.log);
    fault::tell_by_place();
    let output = Output::new(args.json);
    // One thread: what takes its time runs in boxes, or on threads of its own. With more, a model that
    // comes in passes from one to the other with every message.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
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
    let home = Home::new(&args.home);
    match args.command {
        Command::Enrol(command) => enrol::run(&home, &command, output).await,
        Command::Check { study } => check::run(&home, study.as_ref(), output).await,
        Command::Run => {
            Box::pin(daemon::run(home, Arc::new(SystemClock), Arc::new(OsEntropy))).await
        }
        Command::EvaluateShard(command) => {
            Box::pin(evaluate_shard::run(&home, &command, output)).await
        }
        Command::Pause => pause::pause(&home, output),
        Command::Resume => pause::resume(&home, output),
        Command::Backup { folder } => backup::backup(&home, &folder, output).await,
        Command::Restore { folder } => backup::restore(&home, &folder, output).await,
        Command::Policy(command) => policy::run(&home, &command, output),
        Command::Jobs => job::list(&home, output).await,
        Command::Show { job } => job::show(&home, &job, output).await,
        Command::Approve { job, by } => job::approve(&home, &job, &by, output).await,
        Command::Decline { job } => job::decline(&home, &job, output).await,
        Command::Preview { job } => preview::run(&home, &job, output).await,
        Command::Release { job, digest, by } => {
            job::release(&home, &job, digest.as_deref(), &by, output).await
        }
        Command::Ledger(command) => ledger::run(&home, &command, output).await,
        Command::Log(command) => log::run(&home, &command, output).await,
        Command::Journal(command) => journal::run(&home, &command, output).await,
    }
}
