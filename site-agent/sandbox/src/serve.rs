//! The child's side of a box.

use std::panic;
use std::process::{self, ExitCode};

use crate::frame::{answer, next_request};
use crate::jail::{Confinement, confine};
use crate::pipe::Replies;
use crate::program::OwnLimits;

/// Exit code of a child whose handler panicked, the one Rust itself uses.
const PANICKED: i32 = 101;

/// Room for a request that is kept for the next one: enough for a radiograph, and far from a model.
const KEPT_BYTES: usize = 4 << 20;

/// What a box answers.
pub trait Reply {
    /// Its bytes, in pieces that are sent one after the other: nothing large is copied together.
    fn parts(&self) -> Vec<&[u8]>;
}

impl Reply for Vec<u8> {
    fn parts(&self) -> Vec<&[u8]> {
        vec![self]
    }
}

/// Confines this process, then answers each request with `handler` until the parent goes away.
///
/// The first frame carries the parent's limits and is answered with how far the confinement came;
/// only after a complete one does the parent send anything a stranger has written. A panic ends
/// the process without a word: its text could quote a patient's file.
///
/// Must be called in the program's only thread: confinement holds for the calling thread and what
/// it starts. Where there are others, the box refuses to run.
pub fn serve<R: Reply>(mut handler: impl FnMut(&[u8]) -> R) -> ExitCode {
    panic::set_hook(Box::new(|_| process::exit(PANICKED)));
    let (mut requests, mut replies) = (std::io::stdin().lock(), Replies);
    let mut request = Vec::new();
    let Some(limits) =
        next_request(&mut requests, &mut request).and_then(|()| OwnLimits::from_frame(&request))
    else {
        return ExitCode::FAILURE;
    };
    let confinement = confine(limits);
    if answer(&mut replies, &[&[confinement.to_report()]]).is_err()
        || confinement != Confinement::Complete
    {
        return ExitCode::FAILURE;
    }
    while next_request(&mut requests, &mut request).is_some() {
        if answer(&mut replies, &handler(&request).parts()).is_err() {
            return ExitCode::FAILURE;
        }
        if request.capacity() > KEPT_BYTES {
            request = Vec::new();
        }
    }
    ExitCode::SUCCESS
}
