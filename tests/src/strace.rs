//! Faults at a program's system calls, by `strace`.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::process::Launch;
use crate::signal::{self, Signal};

/// The calls after which data are on the disk.
const FLUSHES: &str = "fsync,fdatasync";
/// How long each flush is held up where one of them is waited for, in microseconds: time enough to
/// kill the program before that one begins.
const HELD_UP: &str = "delay_enter=15000";
const LOOK: Duration = Duration::from_millis(1);

/// Starts a program whose flushes are counted in the file `trace`, over all its threads and children,
/// each before it begins.
#[must_use]
pub fn count_flushes(trace: &Path) -> Launch {
    strace(&trace.display().to_string(), &["--seccomp-bpf"], HELD_UP)
}

/// How many flushes were begun.
#[must_use]
pub fn flushes(trace: &Path) -> usize {
    let text = fs::read(trace).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter(|line| line.contains("sync(")).count()
}

/// Kills a program that [`count_flushes`] started when it begins its `nth` flush.
pub fn kill_at_flush(process: u32, trace: PathBuf, nth: usize) {
    thread::spawn(move || {
        while flushes(&trace) < nth {
            if !Path::new(&format!("/proc/{process}")).exists() {
                return;
            }
            thread::sleep(LOOK);
        }
        let _ = signal::send(process, Signal::KILL);
    });
}

/// Starts a program in which, from the `nth` flush of each thread on, flushing `files` fails as on a
/// broken disk.
#[must_use]
pub fn break_flushes_from(nth: usize, files: &[PathBuf]) -> Launch {
    let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let options: Vec<&str> = files.iter().flat_map(|file| ["-P", file]).collect();
    strace("/dev/null", &options, &format!("error=EIO:when={nth}+"))
}

fn strace(trace: &str, options: &[&str], fault: &str) -> Launch {
    // `-D`: the program stays this process's child, and its end is its own.
    let mut under = ["strace", "-D", "-f", "-qq", "-o", trace].map(str::to_owned).to_vec();
    under.extend(options.iter().map(|&option| option.to_owned()));
    under.extend(["-e".to_owned(), format!("trace={FLUSHES}")]);
    under.extend(["-e".to_owned(), format!("inject={FLUSHES}:{fault}")]);
    Launch { under, environment: Vec::new() }
}
