//! The child's side of a box.

use std::panic;
use std::process::{self, ExitCode};

use crate::frame::{answer, next_request};
use crate::jail::{Confinement, confine};
use crate::program::OwnLimits;

/// Exit code of a child whose handler panicked, the one Rust itself uses.
const PANICKED: i32 = 101;

/// Confines this process, then answers each request with `handler` until the parent goes away.
///
/// The first frame carries the parent's limits and is answered with how far the confinement came;
/// only after a complete one does the parent send anything a stranger has written. A panic ends
/// the process without a word: its text could quote a patient's file.
///
/// Must be called in the program's only thread: confinement holds for the calling thread and what
/// it starts. Where there are others, the box refuses to run.
pub fn serve(mut handler: impl FnMut(&[u8]) -> Vec<u8>) -> ExitCode {
    panic::set_hook(Box::new(|_| process::exit(PANICKED)));
    let (mut requests, mut replies) = (std::io::stdin().lock(), std::io::stdout().lock());
    let Some(limits) = next_request(&mut requests).as_deref().and_then(OwnLimits::from_frame)
    else {
        return ExitCode::FAILURE;
    };
    let confinement = confine(limits);
    if answer(&mut replies, &[confinement.to_report()]).is_err()
        || confinement != Confinement::Complete
    {
        return ExitCode::FAILURE;
    }
    while let Some(request) = next_request(&mut requests) {
        if answer(&mut replies, &handler(&request)).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
