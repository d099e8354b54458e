//! What a child in a box can and cannot do.
//!
//! This executable is both sides: started with [`ROLE`], it is the child.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod a30_attempts;

use std::fs::File;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use fedval_ambient::Problem as _;
use fedval_sandbox::{
    BoxLimits, BoxProgram, BoxedChild, CallError, HandedFile, SealedLibrary, SpawnError, serve,
};
use libtest_mimic::{Arguments, Failed, Trial};

const ROLE: &str = "__test-box";

/// Confined in a second thread, which is one too many.
const THREADED_ROLE: &str = "__test-threaded-box";

/// Reads its library before it is confined, and tells what it read.
const LIBRARY_ROLE: &str = "__test-library-box";

const PATIENCE: Duration = Duration::from_secs(20);

const LIMITS: BoxLimits =
    BoxLimits { memory_bytes: 512 << 20, cpu_seconds: 60, max_reply_bytes: 1 << 20 };

/// What the box's environment says.
#[expect(clippy::disallowed_methods, reason = "that a box has it is what is tested")]
fn word_of_the_environment() -> String {
    std::env::var("QUIET").unwrap()
}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some(ROLE) => serve(obey),
        Some(THREADED_ROLE) => thread::spawn(|| serve(obey)).join().unwrap_or(ExitCode::FAILURE),
        Some(LIBRARY_ROLE) => {
            let library = std::env::args().nth(2).unwrap();
            let read = std::fs::read(&library).unwrap();
            let variable = word_of_the_environment();
            serve(move |request| match request {
                b"what it loaded" => read.clone(),
                b"what it was told" => variable.clone().into_bytes(),
                b"load it again" => std::fs::read(&library).is_err().to_string().into_bytes(),
                other => obey(other),
            })
        }
        Some(a30_attempts::OUTSIDE) => {
            let request = std::env::args().nth(2).unwrap();
            let told = a30_attempts::answer(request.as_bytes()).unwrap();
            std::io::stdout().write_all(&told).unwrap();
            ExitCode::SUCCESS
        }
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

/// The child: does what the request names and tells how that went.
fn obey(request: &[u8]) -> Vec<u8> {
    if let Some(told) = a30_attempts::answer(request) {
        return told;
    }
    match request {
        b"allocate" => a30_attempts::exhaust_memory(),
        b"reserve" => a30_attempts::reserve_memory(),
        b"overflow the stack" => descend(0).to_le_bytes().to_vec(),
        b"loop" => loop {
            std::hint::spin_loop();
        },
        b"read what was handed in" => read_handed(),
        b"read its end" => read_end(),
        b"read a pipe from its middle" => {
            let mut byte = [0];
            rustix::io::pread(std::io::stdin(), &mut byte, 0).unwrap_err().to_string().into_bytes()
        }
        b"write what was handed in" => {
            rustix::io::write(std::io::stderr(), b"x").is_err().to_string().into_bytes()
        }
        b"open a file" => File::open("/etc/passwd").is_err().to_string().into_bytes(),
        b"panic" => panic!("ZZCANARY^PATIENT"),
        b"abort" => std::process::abort(),
        b"answer at length" => vec![0; 2 << 20],
        echo => echo.to_vec(),
    }
}

fn read_handed() -> Vec<u8> {
    let mut bytes = Vec::new();
    match HandedFile.read_to_end(&mut bytes) {
        Ok(_) => bytes,
        Err(error) => error.to_string().into_bytes(),
    }
}

fn read_end() -> Vec<u8> {
    let mut bytes = [0; 16];
    match HandedFile.read_at(&mut bytes, 2) {
        Ok(read) => bytes[..read].to_vec(),
        Err(error) => error.to_string().into_bytes(),
    }
}

#[expect(unconditional_recursion, reason = "the test shows what becomes of it")]
fn descend(depth: u64) -> u64 {
    black_box(descend(black_box(depth) + 1) + 1)
}

fn program() -> BoxProgram {
    BoxProgram::current(ROLE).unwrap()
}

async fn child() -> BoxedChild {
    BoxedChild::spawn(&program(), &LIMITS).await.unwrap()
}

/// What the child tells about an attempt.
async fn told(attempt: &str) -> Result<String, CallError> {
    let reply = child().await.call(&[attempt.as_bytes()], PATIENCE).await?;
    Ok(String::from_utf8(reply).unwrap())
}

async fn echoes_one_frame_after_the_other() {
    let mut child = child().await;
    let long = vec![7; 1 << 20];
    for frame in [b"".as_slice(), b"a frame", &long] {
        assert_eq!(child.call(&[frame], PATIENCE).await.unwrap(), frame);
    }
}

async fn ends_and_a_fresh_child_answers(attempt: &str, error: CallError) {
    let mut broken = child().await;
    let patience = if attempt == "loop" { Duration::from_millis(300) } else { PATIENCE };
    assert_eq!(broken.call(&[attempt.as_bytes()], patience).await, Err(error));
    assert_eq!(broken.process_id(), None, "the child was not reaped");
    assert_eq!(broken.call(&[b"echo"], PATIENCE).await, Err(CallError::Died));
    assert_eq!(told("still here").await.unwrap(), "still here");
}

async fn reads_what_was_handed_in_and_cannot_change_it() {
    let path = std::env::temp_dir().join(format!("fedval-handed-{}", std::process::id()));
    std::fs::write(&path, b"a model").unwrap();
    let file = File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut child = BoxedChild::spawn_with_file(&program(), &LIMITS, file).await.unwrap();
    for (attempt, told) in [
        ("write what was handed in", "true"),
        ("read what was handed in", "a model"),
        ("read what was handed in", ""),
        // Places are the file's: that all was read does not matter.
        ("read its end", "model"),
        ("read a pipe from its middle", "Operation not permitted (os error 1)"),
        ("open a file", "true"),
    ] {
        let reply = child.call(&[attempt.as_bytes()], PATIENCE).await.unwrap();
        assert_eq!(String::from_utf8(reply).unwrap(), told, "{attempt}");
    }
}

async fn loads_a_library_before_it_is_confined_and_nothing_after() {
    let program = BoxProgram::current(LIBRARY_ROLE).unwrap();
    let library = SealedLibrary::copy_of(&b"a library"[..], 100, |_| {}).unwrap();
    let library = library.with_environment(&[("QUIET", "1")]);
    let file = || File::open("/proc/self/exe").unwrap();
    // Two at once: both map the same pages.
    for _ in 0..2 {
        let mut child =
            BoxedChild::spawn_with_library(&program, &LIMITS, file(), &library).await.unwrap();
        for (attempt, told) in [
            ("what it loaded", "a library"),
            ("what it was told", "1"),
            ("load it again", "true"),
            ("open a file", "true"),
        ] {
            let reply = child.call(&[attempt.as_bytes()], PATIENCE).await.unwrap();
            assert_eq!(String::from_utf8(reply).unwrap(), told, "{attempt}");
        }
    }
    // A child without one inherits nothing of it.
    assert_eq!(child().await.call(&[b"still here"], PATIENCE).await.unwrap(), b"still here");
}

async fn a_cancelled_call_leaves_no_child_in_use() {
    let mut child = child().await;
    let cancelled =
        tokio::time::timeout(Duration::from_millis(100), child.call(&[b"loop"], PATIENCE)).await;
    assert!(cancelled.is_err());
    assert_eq!(child.call(&[b"echo"], PATIENCE).await, Err(CallError::Died));
}

async fn the_processor_limit_ends_a_child_that_nobody_watches() {
    let limits = BoxLimits { cpu_seconds: 1, ..LIMITS };
    let mut child = BoxedChild::spawn(&program(), &limits).await.unwrap();
    assert_eq!(child.call(&[b"loop"], PATIENCE).await, Err(CallError::Died));
}

async fn a_child_with_a_second_thread_is_refused() {
    let program = BoxProgram::current(THREADED_ROLE).unwrap();
    let refused = BoxedChild::spawn(&program, &LIMITS).await.unwrap_err();
    assert!(matches!(refused, SpawnError::NotConfined { .. }), "{refused:?}");
    assert_eq!(refused.code(), "SANDBOX_UNAVAILABLE");
}

async fn a_program_that_does_not_serve_is_not_ready() {
    let program = BoxProgram { executable: "/bin/true".into(), role: ROLE };
    let refused = BoxedChild::spawn(&program, &LIMITS).await.unwrap_err();
    assert_eq!(refused.code(), "SANDBOX_NOT_READY");
    let absent = BoxProgram { executable: "/nonexistent/program".into(), role: ROLE };
    let refused = BoxedChild::spawn(&absent, &LIMITS).await.unwrap_err();
    assert_eq!(refused.code(), "SANDBOX_NOT_STARTED");
}

fn trial<F>(name: impl Into<String>, test: impl FnOnce() -> F + Send + 'static) -> Trial
where
    F: Future<Output = ()>,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(Failed::from)?.block_on(test());
        Ok(())
    })
}

fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("echoes_one_frame_after_the_other", echoes_one_frame_after_the_other),
        trial(
            "reads_what_was_handed_in_and_cannot_change_it",
            reads_what_was_handed_in_and_cannot_change_it,
        ),
        trial(
            "loads_a_library_before_it_is_confined_and_nothing_after",
            loads_a_library_before_it_is_confined_and_nothing_after,
        ),
        trial("a_cancelled_call_leaves_no_child_in_use", a_cancelled_call_leaves_no_child_in_use),
        trial(
            "the_processor_limit_ends_a_child_that_nobody_watches",
            the_processor_limit_ends_a_child_that_nobody_watches,
        ),
        trial("a_child_with_a_second_thread_is_refused", a_child_with_a_second_thread_is_refused),
        trial(
            "a_program_that_does_not_serve_is_not_ready",
            a_program_that_does_not_serve_is_not_ready,
        ),
    ];
    for (attempt, error) in [
        ("overflow the stack", CallError::Died),
        ("panic", CallError::Died),
        ("abort", CallError::Died),
        ("loop", CallError::TimedOut),
        ("answer at length", CallError::ReplyTooLong),
    ] {
        trials.push(trial(format!("ends where asked to {attempt}").replace(' ', "_"), move || {
            ends_and_a_fresh_child_answers(attempt, error)
        }));
    }
    trials.extend(a30_attempts::trials());
    trials
}
