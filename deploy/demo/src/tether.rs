//! A process that does not outlive the one that started it.

use std::io::{self, Read};
use std::process;
use std::thread;

/// Ends this process as soon as its standard input is closed at the other end.
///
/// The demo holds that end and never writes. Killed or crashed, it drops it all the same.
pub(crate) fn tie_to_standard_input() {
    thread::spawn(|| {
        let mut byte = [0];
        while let Err(error) = io::stdin().read(&mut byte) {
            if error.kind() != io::ErrorKind::Interrupted {
                break;
            }
        }
        process::exit(0);
    });
}
